"""`arctl ingest`: events from a file or standard input onto the ledger."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import click

from ..bootstrap import doorbell_at, ledger_at
from ..domain.errors import InvalidEvent, LedgerUnavailable, RecordUnusable
from ..domain.events import ThreatPublished, event_schema
from ..domain.rows import Acceptance
from ..pipeline.ingest import ingest as ingest_events
from ..posture import refuse_unsafe
from ..settings import load_system
from ..sources import FORMATS
from ..sources.records import records
from .connection import redis_url
from .names import configured, known_are
from .output import print_json, print_json_line, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from ..domain.events import Event
    from ..ports import Doorbell, Ledger, Reader

#: Events per round trip to Redis.
BATCH = 200
#: So many records of a kind are told of one by one; of the others people are told how many there are.
MOST_TOLD = 20


@dataclass(frozen=True)
class Line:
    """What became of one record. `status` is accepted, duplicate, refused, or not accepted (Redis was away).

    What was accepted has a reason if parts of it could not be read.
    """

    line: int
    status: str
    event: str = ""
    field: str = ""
    reason: str = ""


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--format", "kind", type=click.Choice(sorted(FORMATS)), default="event", show_default=True, help="What the records are.")
@click.option("--customer", help="Whose events these are, where the format does not say.")
@click.option("--dry-run", is_flag=True, help="Rehearse: everything is done but to ask an EDR, whatever the customer's mode is.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of our own format, and do nothing else.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record instead of words.")
def ingest(file: BinaryIO | None, kind: str, customer: str | None, *, dry_run: bool, schema: bool, as_json: bool) -> None:
    r"""Accept events from FILE (or - for standard input): NDJSON, a JSON array, or an API's envelope.

    Each record is accepted, a duplicate, or refused with its line, field and reason; a bad one never stops the
    good ones. An event of a customer who has no file is refused. The first twenty that are not accepted are told of
    one by one, and the others counted; --json is a stream of all of them. The same call again is safe. Exit status 1
    if anything was refused, 3 if Redis went away.

    With --dry-run nothing of it is ever asked of an EDR, and people are told that it is a dry run. It is another event than the
    same one without, which can still be ingested; its threat is listed apart, with `~dry` behind its id.

    \b
    Examples: arctl ingest threats.ndjson
              curl ... | arctl ingest --format redcanary --customer acme -
    """
    if schema:
        print_json(event_schema())
        return
    if file is None:
        raise click.UsageError("name a FILE, or - for standard input")
    name = getattr(file, "name", "-")
    url = redis_url()
    refuse_unsafe(load_system({**os.environ, "AR_REDIS_URL": url}))
    counts: Counter[str] = Counter()
    told: Counter[str] = Counter()
    found = of_customers(read_all(file, FORMATS[kind], customer), *configured())
    found = rehearsed(found) if dry_run else found
    for line in accept_all(ledger_at(url), doorbell_at(url), found):
        counts[line.status] += 1
        _tell(name, line, told, as_json=as_json)
    for status, number in sorted(told.items()):
        if number > MOST_TOLD:
            say(f"{name}: {number - MOST_TOLD} more {_MORE[status]}: --json tells of each", err=True)
    summary = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing to ingest"
    say(f"{name}: {'DRY RUN: ' if dry_run else ''}{summary}", err=as_json)
    if counts["not accepted"]:
        raise LedgerUnavailable("the records named above are not accepted, the same call again is safe")
    if counts["refused"]:
        raise click.exceptions.Exit(1)


def read_all(stream: BinaryIO, reader: Reader, customer: str | None) -> Iterator[tuple[int, Event | InvalidEvent]]:
    """Every record as an event, or as what is wrong with it."""
    for record in records(stream):
        if record.problem:
            yield record.line, record.problem
            continue
        try:
            yield record.line, reader(record.payload, customer=customer)
        except InvalidEvent as error:
            yield record.line, error


def of_customers(
    found: Iterable[tuple[int, Event | InvalidEvent]], known: Collection[str], folder: Path
) -> Iterator[tuple[int, Event | InvalidEvent]]:
    """The same, but that an event of a customer that is not `known` is refused: nobody could plan it."""
    for line, event in found:
        if isinstance(event, InvalidEvent) or event.customer in known:
            yield line, event
        else:
            why = f"{event.customer} is not configured, there is no {folder / event.customer}.toml: {known_are(event.customer, known)}"
            yield line, InvalidEvent("customer", why)


def rehearsed(found: Iterable[tuple[int, Event | InvalidEvent]]) -> Iterator[tuple[int, Event | InvalidEvent]]:
    """The same as dry runs."""
    return ((line, event if isinstance(event, InvalidEvent) else event.to_be_rehearsed()) for line, event in found)


def accept_all(ledger: Ledger, doorbell: Doorbell, found: Iterable[tuple[int, Event | InvalidEvent]]) -> Iterator[Line]:
    """Accept in batches; after Redis has gone away, or the door's list, nothing more is tried, and every line is still told of."""
    is_away = ""
    found = iter(found)
    while batch := list(islice(found, BATCH)):
        good = [(line, event) for line, event in batch if not isinstance(event, InvalidEvent)]
        yield from (
            Line(line, "refused", field=error.field, reason=error.reason) for line, error in batch if isinstance(error, InvalidEvent)
        )
        try:
            answers = [] if is_away else ingest_events(ledger, doorbell, [event for _, event in good])
        except (LedgerUnavailable, RecordUnusable) as error:
            is_away = str(error)
        if is_away:
            yield from (Line(line, "not accepted", event.id, reason=is_away) for line, event in good)
        else:
            yield from (_line(line, event, answer) for (line, event), answer in zip(good, answers, strict=True))


def _line(line: int, event: Event, answer: Acceptance) -> Line:
    if answer is Acceptance.CONFLICT:
        return Line(line, "refused", event.id, "id", "was used before for an event with other content")
    unread = event.unread if isinstance(event, ThreatPublished) and answer is Acceptance.NEW else ()
    more = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
    return Line(line, str(answer), event.id, reason=unread[0].line + more if unread else "")


def _tell(name: str, line: Line, told: Counter[str], *, as_json: bool) -> None:
    """`told` counts what of a kind there was to tell people of: a file may have a million bad lines."""
    if as_json:
        print_json_line(asdict(line))
    elif line.reason:
        told[line.status] += 1
        if told[line.status] <= MOST_TOLD:
            field = f"{line.field}: " if line.field else ""
            say(f"{name}:{line.line}: {_WORDS[line.status]} {field}{line.reason}", err=True)


_MORE = {"refused": "refused", "not accepted": "not accepted", "accepted": "accepted without what could not be read"}
_WORDS = {"refused": "refused:", "not accepted": "not accepted:", "accepted": "accepted without"}
