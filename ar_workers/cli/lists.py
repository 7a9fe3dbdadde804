"""`arctl lists`: the lists of the well-known, by which actions are held for a person."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from ..domain.errors import ARError
from ..domain.hosts import is_loopback
from ..lists import NAME, current
from ..lists.catalogue import CATALOGUE
from ..lists.misp import found_in, found_in_zip, packed_from
from ..lists.packed import BadLists, Packed, read_packed, write_packed
from ..settings import load_system
from .output import json_option, print_json, print_table, say
from .private import private_file, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of a download: seconds between two parts of it, and its size. MISP's whole repository has some 30 MB.
PATIENCE, LARGEST = 30.0, 256 * 2**20
_CHUNK = 2**20


@click.group()
def lists() -> None:
    """Show or renew the lists of the well-known: what is on one is acted on only when a person has said so."""


@lists.command()
@json_option
def show(*, as_json: bool) -> None:
    """List them, with their versions and where they are from. Exit status 1 if the file that was written cannot be read.

    Example: arctl lists show
    """
    path = load_system(os.environ).home / NAME
    packed = read_packed(path) if path.exists() else current(path)
    if as_json:
        print_json(packed.index.model_dump(mode="json"))
        return
    lines = ((each.title, each.name, str(each.version), str(each.entries)) for each in packed.index.lists)
    print_table("", ("List", "At MISP", "Version", "Entries"), lines)
    say(f"from {packed.index.source}")


@lists.command()
@click.argument("place")
def update(place: str) -> None:
    r"""Renew the lists from PLACE: a folder or ZIP of MISP's warning lists, or the https address of such a ZIP.

    All or nothing: where a list lacks that is there now, or one cannot be read, nothing changes. Workers take the new lists at once.
    Nothing is downloaded unless PLACE is an address; redirects are not followed.

    \b
    Examples: arctl lists update /srv/misp-warninglists
              arctl lists update https://codeload.github.com/MISP/misp-warninglists/zip/refs/heads/main
    """
    home = load_system(os.environ).home
    before = current(home / NAME)
    packed = packed_from(_found(place), place, {each.name for each in before.index.lists})
    _keep(packed, home)
    for each in packed.index.lists:
        say(f"{each.title}: version {each.version}, {each.entries} entries")
    missing = sorted(set(CATALOGUE) - {each.name for each in packed.index.lists})
    if missing:
        say(f"not there: {', '.join(missing)}")


def _found(place: str) -> dict[str, Callable[[], bytes]]:
    return found_in_zip(_downloaded(place)) if "://" in place else found_in(Path(place))


def _downloaded(url: str) -> bytes:
    import requests  # noqa: PLC0415 - a folder needs none of it

    from ..connections import a_session  # noqa: PLC0415

    if urlsplit(url).scheme != "https" and not is_loopback(url):
        raise ARError(f"{url}: only https is taken")
    content = bytearray()
    try:
        with a_session(None).get(url, timeout=PATIENCE, stream=True, allow_redirects=False) as reply:
            if reply.status_code != requests.codes.ok:
                raise ARError(f"{url} answers {reply.status_code}: name the address of the ZIP itself")
            for part in reply.iter_content(_CHUNK):
                content += part
                if len(content) > LARGEST:
                    raise ARError(f"{url} is larger than {LARGEST // 2**20} MB")
    except requests.RequestException as error:
        raise ARError(f"{url} could not be read whole: {type(error).__name__}") from None
    return bytes(content)


def _keep(packed: Packed, home: Path) -> None:
    """Written beside, read once, and put in place at once."""
    fresh = private_folder(home) / f".{NAME}.{os.getpid()}"
    try:
        with private_file(fresh, "wb") as file:
            write_packed(packed, file)
        if read_packed(fresh).index != packed.index:
            raise BadLists("what was written is not what was read: nothing was changed")
        fresh.replace(home / NAME)
    except OSError as error:
        raise ARError(f"{home / NAME} cannot be written ({error.strerror}): nothing was changed") from None
    finally:
        fresh.unlink(missing_ok=True)
