"""Polling: a feed's pages become events, and the cursor moves only behind what the ledger has accepted.

Killed anywhere, a poller loses nothing: the cursor still stands before what was not accepted. And it doubles nothing:
what was accepted is known to the ledger by its id when it is read again. What was created before polling began is told only: a list
along the times of updates shows an alert of years ago when somebody closes it today.
"""

from __future__ import annotations

import logging
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from ..domain.errors import ARError, InvalidEvent
from ..domain.events import ThreatPublished
from ..domain.model import Value
from ..domain.rows import Acceptance
from ..domain.text import cleaned
from .ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterable
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
#: A record that cannot be read comes again with each overlap, and is warned of only once in this time.
WARN_AGAIN = timedelta(days=1)


class RefusedRecord(Value):
    """A record that did not become an event, and what is wrong with it."""

    id: str
    field: str
    reason: str


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
    until = services.monotonic() + services.poll_every.total_seconds()
    try:
        for _ in range(MOST_PAGES):
            report, cursor_moved = _read_page(services, services.feeds[customer, name], report)
            if not (report.is_more and cursor_moved) or services.monotonic() > until:
                break
    except ARError as error:
        _log.warning("polling %s of %s ended: %s", name, customer, error)
        report = _changed(report, error=cleaned(str(error)))
    return report


def _read_page(services: Services, feed: Feed, so_far: Report) -> tuple[Report, bool]:
    customer, ledger = so_far.customer, services.ledger
    cursor = ledger.cursor(customer, feed.name)
    page = feed.page(cursor)
    good, refused = _understood(services, feed, customer, page)
    answers = ingest(ledger, services.doorbell, [event for _, event in good])
    refused += [_conflict(record) for (record, _), answer in zip(good, answers, strict=True) if answer is Acceptance.CONFLICT]
    refused = [each for each in refused if each not in so_far.refused]
    _warn(ledger, so_far, refused)
    report = _changed(
        so_far,
        pages=so_far.pages + 1,
        accepted=so_far.accepted + answers.count(Acceptance.NEW),
        duplicates=so_far.duplicates + answers.count(Acceptance.DUPLICATE),
        refused=(*so_far.refused, *refused),
        is_more=page.is_more,
    )
    # Where another poller has moved it meanwhile, that one goes on.
    return report, ledger.move_cursor(customer, feed.name, cursor, page.cursor)


def _understood(services: Services, feed: Feed, customer: str, page: Page) -> tuple[list[tuple[Record, Event]], list[RefusedRecord]]:
    read = services.readers[feed.reader]
    good: list[tuple[Record, Event]] = []
    refused: list[RefusedRecord] = []
    for record in page.records:
        try:
            good.append((record, _since(page.begun, read(record.payload, customer=customer))))
        except InvalidEvent as error:
            refused.append(RefusedRecord(id=cleaned(record.id), field=error.field, reason=error.reason))
        except Exception as error:  # noqa: BLE001 - a fault of the reader's own must not hide the records behind this one
            _log.exception("the reader %s failed at %s of %s", feed.reader, cleaned(record.id), customer)
            refused.append(RefusedRecord(id=cleaned(record.id), field="record", reason=f"the reader failed ({type(error).__name__})"))
    return good, refused


def _since(begun: datetime | None, event: Event) -> Event:
    """The event, told only if its alert is older than the polling."""
    if begun is None or event.occurred_at >= begun or not isinstance(event, ThreatPublished):
        return event
    return event.to_be_told_only(f"created before polling began ({begun.astimezone(UTC):%Y-%m-%d %H:%M} UTC): told, not acted on")


def _conflict(record: Record) -> RefusedRecord:
    return RefusedRecord(id=cleaned(record.id), field="id", reason="was used before for an event with other content")


def _warn(ledger: Ledger, report: Report, refused: Iterable[RefusedRecord]) -> None:
    for each in refused:
        if ledger.tick(f"refused/{report.customer}/{report.feed}/{each.id}", WARN_AGAIN):
            _log.warning("%s of %s: record %s is refused: %s: %s", report.feed, report.customer, each.id, each.field, each.reason)


def _changed(report: Report, **changes: Any) -> Report:
    return report.model_copy(update=changes)
