"""`arctl customers`: whose files there are, in which mode each is, and the change from one mode to the other."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..domain.errors import ARError
from ..domain.policies import Mode
from ..settings.modes import mode_in, with_mode
from .groups import Listing
from .names import configured, no_such
from .output import json_option, print_json, print_json_list, print_table, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MEANS = {
    Mode.LIVE: "its EDRs are asked for what is planned from then on; what was rehearsed before stays so",
    Mode.DRY_RUN: "its EDRs are asked for nothing more, also for what is open now; what they have accepted already is watched to its end",
}


@dataclass(frozen=True)
class Listed:
    """A customer's file. `is_said` is whether the file names its mode; one that cannot be read has a problem, and no mode."""

    customer: str
    mode: str
    is_said: bool
    file: str
    problem: str = ""


@click.group(cls=Listing, invoke_without_command=True)
@json_option
@click.pass_context
def customers(context: click.Context, *, as_json: bool) -> None:
    """List the customers that have a file, with their mode: `live`, or `dry_run`, in which nothing is asked of their EDRs.

    Exit status 1 if a file cannot be read.

    Example: arctl customers
    """
    if context.invoked_subcommand:
        return
    names, folder = configured()
    found = [_listed(name, folder / f"{name}.toml") for name in names]
    if as_json:
        print_json_list([asdict(each) for each in found])
    elif found:
        print_table("", ("Customer", "Mode", "File"), ((each.customer, _in_words(each), each.file) for each in found), prose="Mode")
    else:
        say(f"no customer yet: add {folder}/NAME.toml")
    if any(each.problem for each in found):
        raise click.exceptions.Exit(1)


def _listed(name: str, path: Path) -> Listed:
    try:
        said = mode_in(_text(path))
    except ARError as error:
        return Listed(name, "", is_said=False, file=str(path), problem=str(error))
    return Listed(name, str(said or Mode.LIVE), is_said=said is not None, file=str(path))


def _in_words(each: Listed) -> str:
    return each.problem or each.mode + ("" if each.is_said else ", as the file says nothing")


def _change(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        json_option,
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.argument("name"),
    ):
        command = option(command)
    return command


@customers.command()
@_change
def live(name: str, *, yes: bool, as_json: bool) -> None:
    """Let the customer's EDRs be asked: `mode = "live"` in its file.

    Only that line changes. Workers take it within some seconds. Exit status 1 if it is so already, or is no customer.

    Example: arctl customers live acme
    """
    _to(name, Mode.LIVE, yes=yes, as_json=as_json)


@customers.command(name="dry-run")
@_change
def dry_run(name: str, *, yes: bool, as_json: bool) -> None:
    """Ask nothing more of the customer's EDRs: `mode = "dry_run"` in its file.

    Only that line changes. Workers take it within some seconds; `arctl pause` is quicker. Exit status 1 if it is so already, or is no
    customer.

    Example: arctl customers dry-run acme
    """
    _to(name, Mode.DRY_RUN, yes=yes, as_json=as_json)


def _to(name: str, mode: Mode, *, yes: bool, as_json: bool) -> None:
    names, folder = configured()
    if name not in names:
        raise ARError(no_such("customer", name, names))
    path = folder / f"{name}.toml"
    try:
        text = _text(path)
        before, changed = mode_in(text), with_mode(text, mode)
    except ARError as error:
        raise ARError(f"{path}: {error}") from None
    if before is mode:
        raise ARError(f"{name} is {mode} already: nothing was changed")
    was = before or f"{Mode.LIVE}, as the file says nothing"
    say(f"{name}: {was} -> {mode}: {_MEANS[mode]}", err=as_json)
    if not yes:
        click.confirm(f"Change {path}?", abort=True, err=as_json)
    _replace(path, text, changed)
    if as_json:
        print_json({"customer": name, "mode": str(mode), "was": str(before or Mode.LIVE), "file": str(path)})
    else:
        say(f"{path}: written; workers take it within some seconds")


def _text(path: Path) -> str:
    """With the ends of lines as they are."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ARError(f"cannot be read ({type(error).__name__})") from None


def _replace(path: Path, read: str, changed: str) -> None:
    """Whole or not at all; a link stays one. Raises ARError if it cannot be written, or if somebody has written it since."""
    place = path.resolve()
    try:
        new = _beside(place, changed)
    except OSError as error:
        raise ARError(f"{path} cannot be written ({error.strerror}): nothing was changed") from None
    try:
        if _text(place) != read:
            raise ARError(f"{path} was written by somebody else just now: look at it, and try again")
        new.replace(place)
    finally:
        new.unlink(missing_ok=True)


def _beside(place: Path, text: str) -> Path:
    """A file with the permissions and the owner of the one that is there, by a name that is no customer's."""
    there = place.stat()
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", suffix=".new", delete=False) as new:
        os.fchmod(new.fileno(), there.st_mode & 0o7777)
        if (there.st_uid, there.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(new.fileno(), there.st_uid, there.st_gid)
        new.write(text.encode())
        new.flush()
        os.fsync(new.fileno())
    return Path(new.name)
