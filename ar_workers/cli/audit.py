"""`arctl audit`: the record of what was decided and done, as it stands in files outside Redis."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..audit.chain import files_of, lines_of, read_link
from ..audit.comparing import compared, threat_findings
from ..audit.files import CHAINS, audit_folder
from ..audit.verifying import verified
from ..domain.errors import ARError
from ..ledger.trail import RedisTrail
from ..seals import seals_of
from .connection import open_ledger
from .names import no_such
from .output import moment, print_json_line, print_json_list, say, since_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..audit.verifying import Verified
    from ..domain.audit import Finding, Link
    from ..ledger.redis import RedisLedger


def _chains() -> Path:
    return audit_folder(os.environ) / CHAINS


def _recorded() -> list[str]:
    return sorted(each.name for each in _chains().glob("*") if files_of(each))


class Recorded(click.ParamType[str]):
    """A customer of whom there is a record on this machine."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in _recorded():
            self.fail(f"in {_chains()} there is " + no_such("record of customer", str(value), _recorded()), param, ctx)
        return str(value)


RECORDED = Recorded()


class Seen(click.ParamType[tuple[int, str]]):
    """An anchor that was copied elsewhere: `1234:9f86d0...`."""

    name = "link:hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        if isinstance(value, tuple):
            return value
        seq, _, digest = str(value).partition(":")
        if not seq.isdecimal() or not digest:
            self.fail(f"{value!r} is not like 1234:9f86d0..., as `arctl audit verify` prints an end", param, ctx)
        return int(seq), digest


@click.group()
def audit() -> None:
    """Verify or export the record of all that was decided and done, which stands in files outside Redis."""


@audit.command()
@click.option(
    "--customer", "customers", type=RECORDED, multiple=True, help="Only these; may be repeated. `_everyone` has the kill switches of all."
)
@click.option("--seen", type=Seen(), help="An end that was copied elsewhere, as LINK:HASH: the chain must contain it.")
@click.option("--files-only", is_flag=True, help="Leave Redis alone: the files may be another machine's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of words.")
def verify(customers: tuple[str, ...], seen: tuple[int, str] | None, *, files_only: bool, as_json: bool) -> None:
    r"""Look whether the record is as it was written, and whether the timelines in Redis say the same.

    Of each customer's chain every link must follow the one before, and the signed anchor must be at its end: what was changed, taken
    away, put elsewhere or cut off is named with its place. What has happened since the last seal, some seconds ago, is Redis's word
    alone. Who can change these files and has the key of `audit` can write another past: copy the printed end somewhere else now and
    then, and compare with --seen. Exit status 1 if anything is not as it was written, or if there is no record.

    \b
    Examples: arctl audit verify
              arctl audit verify --customer acme --seen 1234:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    names = customers or tuple(_recorded())
    if seen and len(names) != 1:
        raise click.UsageError("--seen is of one customer: name it with --customer")
    if not names:
        raise ARError(
            f"there is no record in {_chains()}: a worker for housekeeping makes it, on its machine, or AR_AUDIT names another folder"
        )
    look = _look(files_only=files_only)
    found = [look(name, seen=seen) for name in names]
    if as_json:
        print_json_list([_document(each) for each in found])
    else:
        for each in found:
            _describe(each)
    if any(each.findings for each in found):
        raise click.exceptions.Exit(1)


@audit.command()
@click.option("--customer", type=RECORDED, required=True, help="Whose record; `_everyone` has the kill switches of all.")
@click.option(
    "--format", "kind", type=click.Choice(("json", "ocsf")), default="json", show_default=True, help="As it is chained, or as OCSF 1.8."
)
@click.option("--threat", help="Only this threat.")
@since_option
def export(customer: str, kind: str, threat: str | None, since: datetime) -> None:
    """Print the record, one JSON object per line, the oldest first, as it is read.

    What is exported is not verified: `arctl audit verify` does that. Exit status 1 if there was nothing to print, or if a line is no
    link, which is left out and told.

    Example: arctl audit export --customer acme --format ocsf --since 7d
    """
    write = _writer(kind)
    begin, odd, printed = since.timestamp() * 1000, 0, 0
    for path, number, line in lines_of(files_of(_chains() / customer)):
        link = read_link(line)
        if link is None:
            odd += 1
            say(f"{path.name}:{number}: is no link, and left out", err=True)
        elif link["at"] >= begin and threat in {None, link["threat"]}:
            print_json_line(write(link))
            printed += 1
    if not printed:
        raise ARError(f"nothing of that is in the record of {customer}: look with a longer --since, or without --threat")
    if odd:
        raise click.exceptions.Exit(1)


def _writer(kind: str) -> Callable[[Link], dict[str, Any]]:
    if kind == "json":
        return dict
    from ..audit.ocsf import ocsf  # noqa: PLC0415 - which the plain export does not need

    return ocsf


def differences(ledger: RedisLedger, customer: str, threat_id: str) -> list[Finding] | None:
    """Between a threat's timeline and the record; None where the record is not on this machine."""
    try:
        return threat_findings(_chains(), customer, threat_id, RedisTrail(ledger))
    except OSError:
        return None


def _look(*, files_only: bool) -> Callable[..., Verified]:
    seals = seals_of(os.environ)
    if files_only:
        return partial(verified, _chains(), seals=seals)
    return partial(compared, _chains(), seals=seals, trail=RedisTrail(open_ledger()))


def _describe(found: Verified) -> None:
    first, last = found.first, found.last
    if first and last:
        say(f"{found.customer}: {found.links} links, {_at(first)} to {_at(last)}{_behind(found)}")
        say(f"{found.customer}: its end is {found.head.seq}:{found.head.digest}")
    for words in filter(None, (found.remark,)):
        say(f"{found.customer}: {words}")
    for place, what in found.findings:
        say(f"{found.customer}: {place}: {what}", err=True)
    if found.more:
        say(f"{found.customer}: and {found.more} more places", err=True)
    say(f"{found.customer}: {'NOT as it was written' if found.findings else 'as it was written'}")


def _behind(found: Verified) -> str:
    return f", of which the last {found.unsealed} are not sealed yet" if found.unsealed else ""


def _at(link: Link) -> str:
    return f"{moment(datetime.fromtimestamp(link['at'] / 1000, UTC))} UTC"


def _document(found: Verified) -> dict[str, Any]:
    return {
        "customer": found.customer,
        "is_as_written": not found.findings,
        "links": found.links,
        "end": {"link": found.head.seq, "hash": found.head.digest},
        "unsealed": found.unsealed,
        "remark": found.remark,
        "findings": [each._asdict() for each in found.findings],
        "more": found.more,
    }
