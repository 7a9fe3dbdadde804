"""Records of feeds that cannot be read: kept, told to the TREs once per kind, and read again when somebody asks."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..domain.errors import InvalidEvent
from ..domain.events import ThreatClosed, ThreatPublished, WorkHindered
from ..domain.refusals import Fate, KeptRecord, RefusedRecord
from ..domain.rows import Acceptance
from .ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..domain.events import Event
    from ..domain.refusals import KeptRecords
    from ..ports import Reader
    from .services import Services

_log = logging.getLogger(__name__)


class ReadAgain(NamedTuple):
    """What reading a feed's list again came to: how many became events or were known, and what still cannot be read."""

    accepted: int
    duplicates: int
    refused: list[KeptRecord]


def understood(
    read: Reader, record_id: str, payload: Any, customer: str, begun: datetime | None, asked_at: datetime | None = None
) -> Event | RefusedRecord:
    """The event that a record is, told only if its alert is older than the polling; or what is wrong with it.

    `asked_at` is when its source was asked: as of then the record stood so, if it tells no time itself.
    """
    try:
        event = read(payload, customer=customer)
        return _since(begun, event.seen_at(asked_at) if asked_at and isinstance(event, ThreatPublished | ThreatClosed) else event)
    except InvalidEvent as error:
        return RefusedRecord(id=record_id, field=error.field, reason=error.reason)
    except Exception as error:  # noqa: BLE001 - a fault of the reader's own must not hide the records behind this one
        _log.exception("the reader failed at %s of %s", record_id, customer)
        return RefusedRecord(id=record_id, field="record", reason=f"the reader failed ({type(error).__name__})")


def _since(begun: datetime | None, event: Event) -> Event:
    if begun is None or event.occurred_at >= begun or not isinstance(event, ThreatPublished):
        return event
    return event.to_be_told_only(f"created before polling began ({begun.astimezone(UTC):%Y-%m-%d %H:%M} UTC): told, not acted on")


def conflict(record_id: str) -> RefusedRecord:
    """The ledger has another event of that id."""
    return RefusedRecord(id=record_id, field="id", reason="was used before for an event with other content")


def keep(services: Services, customer: str, feed: str, refused: Sequence[KeptRecord]) -> None:
    """Keep them, and tell the TREs of each kind once. Safe to repeat: what is known already is neither kept nor told again."""
    fates = services.ledger.refuse(customer, feed, refused)
    hindered: dict[str, WorkHindered] = {}
    for event in (_told(customer, feed, record, since) for record, (_, since) in zip(refused, fates, strict=True) if since):
        hindered.setdefault(event.id, event)
    ingest(services.ledger, services.doorbell, list(hindered.values()))
    for record, (fate, _) in zip(refused, fates, strict=True):
        if fate is Fate.KEPT:
            _log.warning("%s of %s: record %s is refused: %s: %s", feed, customer, record.id, record.field, record.reason)
    dropped = [fate for fate, _ in fates].count(Fate.DROPPED)
    if dropped:
        _log.error("%s of %s: %d refused records are counted only: no more are kept", feed, customer, dropped)


def _told(customer: str, feed: str, record: KeptRecord, since: str) -> WorkHindered:
    """One event per kind and time: its id is that of the first of its kind, as long as any is kept."""
    return WorkHindered(
        id=f".refused-{feed}-{record.kind}-{since}",
        customer=customer,
        occurred_at=datetime.fromtimestamp(int(since) / 1000, UTC),
        threat_ref=f"polling-{feed}",
        what=f"{feed}: a record cannot be read: {record.field}: {record.reason}",
        facts=(
            ("Record", record.id),
            ("Reason", f"{record.field}: {record.reason}"),
            ("State", "kept, and nothing is done about it; others for the same reason are kept in silence"),
            ("What to do", f"look at it: arctl poll --refused --customer {customer}; after an update: --refused --again"),
        ),
    )


def read_again(services: Services, kept: KeptRecords, records: Iterable[KeptRecord]) -> ReadAgain:
    """Read these records of the list again: what can be read now becomes an event and leaves the list, the rest gets its reason of now."""
    customer, read = kept.customer, services.readers[kept.feed]
    refused: list[KeptRecord] = []
    good: list[tuple[KeptRecord, Event]] = []
    for record in records:
        found = understood(read, record.id, record.payload, customer, record.begun) if record.is_whole else record
        if isinstance(found, RefusedRecord):
            refused.append(record.model_copy(update={"field": found.field, "reason": found.reason}))
        else:
            good.append((record, found))
    answers = ingest(services.ledger, services.doorbell, [event for _, event in good])
    for (record, _), answer in zip(good, answers, strict=True):
        if answer is Acceptance.CONFLICT:
            other = conflict(record.id)
            refused.append(record.model_copy(update={"field": other.field, "reason": other.reason}))
    keep(services, customer, kept.feed, refused)
    gone = [record.key for (record, _), answer in zip(good, answers, strict=True) if answer is not Acceptance.CONFLICT]
    services.ledger.let_go(customer, kept.feed, gone, is_looked_at=False)
    return ReadAgain(answers.count(Acceptance.NEW), answers.count(Acceptance.DUPLICATE), refused)
