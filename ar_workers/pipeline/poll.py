"""Polling: a feed's pages become events, and the cursor moves only behind what the ledger has accepted.

Killed anywhere, a poller loses nothing: the cursor still stands before what was not accepted. And it doubles nothing:
what was accepted is known to the ledger by its id when it is read again. What cannot be read is kept before the cursor
moves. What was created before polling began is told only: a list along the times of updates shows an alert of years ago
when somebody closes it today. An alert that its vendor shows as over closes its threat, and one that is open again after
that is acted on anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..domain.errors import ARError
from ..domain.model import Value
from ..domain.refusals import KeptRecord, RefusedRecord, key_of
from ..domain.rows import Acceptance
from ..domain.text import cleaned
from .ingest import ingest
from .refusals import conflict, keep, understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ..domain.events import Event
    from ..ports import Feed, Ledger, Page, Record
    from .services import Services

_log = logging.getLogger(__name__)
#: Shares of the interval: after the first comes the next round, so that a punctual one is never refused; after the second a feed
#: may be read again, so that one that was late is not left out of the next round.
ROUND, FEED = 0.9, 0.5
#: Pages of one call, which ends after a polling interval, too: a long backlog or a slow vendor keeps no worker from other feeds.
MOST_PAGES = 20


class Report(Value):
    """What a call for one feed came to. What was read before an error is accepted and counted."""

    customer: str
    feed: str
    #: Nothing was asked: the feed was polled a moment ago.
    is_early: bool = False
    pages: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: tuple[RefusedRecord, ...] = ()
    #: More is there: the next call goes on from the cursor.
    is_more: bool = False
    error: str = ""


def whose_turn_it_is(services: Services) -> Iterable[tuple[str, str]]:
    """Customer and name of every feed, once per polling interval, however many ask.

    Who asks stands in line behind the feeds of the last round: while vendors hang, rounds do not pile up.
    """
    return tuple(services.feeds) if services.ledger.tick("poll", services.poll_every * ROUND) else ()


def poll(services: Services, customer: str, name: str) -> Report:
    """Read the feed, if it was not read a moment ago: others may poll besides."""
    if not services.ledger.tick(f"poll/{customer}/{name}", services.poll_every * FEED):
        return Report(customer=customer, feed=name, is_early=True)
    return read_feed(services, customer, name)


def read_feed(services: Services, customer: str, name: str) -> Report:
    """Read what is new, page by page. Errors end the call, and stand in its report: the next call goes on from the cursor."""
    report = Report(customer=customer, feed=name)
    feed = services.feeds.get((customer, name))
    if feed is None:  # its section was taken away since somebody rang for it
        return _changed(report, error="is not polled any more")
    until = services.monotonic() + services.poll_every.total_seconds()
    try:
        for _ in range(MOST_PAGES):
            report, cursor_moved = _read_page(services, feed, report)
            if not (report.is_more and cursor_moved) or services.monotonic() > until:
                break
    except ARError as error:
        _log.warning("polling %s of %s ended: %s", name, customer, error)
        report = _changed(report, error=cleaned(str(error)))
    return report


def _read_page(services: Services, feed: Feed, so_far: Report) -> tuple[Report, bool]:
    customer, ledger = so_far.customer, services.ledger
    cursor = ledger.cursor(customer, feed.name)
    asked_at = services.clock.now()
    page = feed.page(cursor)
    good, refused = _sorted(services, feed, customer, page, asked_at)
    answers = ingest(ledger, services.doorbell, [event for _, event in good])
    conflicting = [record for (record, _), answer in zip(good, answers, strict=True) if answer is Acceptance.CONFLICT]
    refused += [_kept(page, record, conflict(record.id)) for record in conflicting]
    # Before the cursor moves: what is behind it nobody reads again.
    keep(services, customer, feed.name, refused)
    _forget_what_can_be_read(ledger, customer, feed.name, good, conflicting)
    plain = [RefusedRecord(id=each.id, field=each.field, reason=each.reason) for each in refused]
    report = _changed(
        so_far,
        pages=so_far.pages + 1,
        accepted=so_far.accepted + answers.count(Acceptance.NEW),
        duplicates=so_far.duplicates + answers.count(Acceptance.DUPLICATE),
        refused=(*so_far.refused, *(each for each in plain if each not in so_far.refused)),
        is_more=page.is_more,
    )
    # Where another poller has moved it meanwhile, that one goes on.
    return report, ledger.move_cursor(customer, feed.name, cursor, page.cursor)


def _sorted(
    services: Services, feed: Feed, customer: str, page: Page, asked_at: datetime
) -> tuple[list[tuple[Record, Event]], list[KeptRecord]]:
    """What can be read, and what cannot."""
    read = services.readers[feed.reader]
    good: list[tuple[Record, Event]] = []
    refused: list[KeptRecord] = []
    for record in page.records:
        found = understood(read, cleaned(record.id), record.payload, customer, page.begun, asked_at)
        if isinstance(found, RefusedRecord):
            refused.append(_kept(page, record, found))
        else:
            good.append((record, found))
    return good, refused


def _kept(page: Page, record: Record, problem: RefusedRecord) -> KeptRecord:
    return KeptRecord(
        id=cleaned(record.id),
        field=problem.field,
        reason=problem.reason,
        key=key_of(record.id, record.payload),
        payload=record.payload,
        begun=page.begun,
    )


def _forget_what_can_be_read(
    ledger: Ledger, customer: str, feed: str, good: Iterable[tuple[Record, Event]], conflicting: Sequence[Record]
) -> None:
    """A record that was refused before, and has been mended by its vendor or by us."""
    keys = [key_of(record.id, record.payload) for record, _ in good if record not in conflicting]
    if keys:
        ledger.let_go(customer, feed, keys, is_looked_at=False)


def _changed(report: Report, **changes: Any) -> Report:
    return report.model_copy(update=changes)
