"""How refused records of feeds are written into the ledger and read from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..domain.refusals import LONGEST_KEPT, MOST_KEPT, MOST_KINDS, REMEMBERED, KeptRecord, KeptRecords, as_json
from .packing import packed, unpacked
from .shapes import in_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY = in_ms(REMEMBERED)


def refusal(feed: str, record: KeptRecord) -> tuple[str | int, ...]:
    """The arguments of `refuse.lua`. A record that is too long is kept without what it says."""
    is_whole = record.is_whole and len(as_json(record.payload)) <= LONGEST_KEPT
    document = record.model_dump(mode="json", exclude={"at", "payload"}) | {"is_whole": is_whole}
    text = json.dumps(document | {"packed": packed({"payload": record.payload}) if is_whole else ""})
    return (feed, record.key, record.kind, text, MOST_KEPT, MOST_KINDS, MEMORY)


def kept(customer: str, feed: str, dropped: str, texts: Iterable[str]) -> KeptRecords:
    """A feed's list as values."""
    records = sorted(map(_record, texts), key=lambda each: (each.at or datetime.min.replace(tzinfo=UTC), each.key))
    return KeptRecords(customer=customer, feed=feed, records=tuple(records), dropped=int(dropped))


def _record(text: str) -> KeptRecord:
    ms, _, document = text.split(" ", 2)
    fields: dict[str, Any] = json.loads(document)
    whole = fields.pop("packed")
    payload = unpacked(whole)["payload"] if whole else None
    return KeptRecord.model_validate({**fields, "payload": payload, "at": datetime.fromtimestamp(int(ms) / 1000, UTC)})
