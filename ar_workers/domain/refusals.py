"""Records of a feed that did not become events: kept with their reason, until they can be read or a person has looked at them."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from .model import Value

#: So many of a customer's feed are kept; what comes behind them is counted.
MOST_KEPT = 100
#: Of so many kinds of reasons of a feed the TREs are told: it may be a stranger who chooses them.
MOST_KINDS = 20
#: A record that is longer, as JSON, is kept without what it says.
LONGEST_KEPT = 256 * 1024
#: For so long it is remembered that a record was counted or forgotten: it comes again with each overlap.
REMEMBERED = timedelta(days=8)
#: How feeds write that a record has no id.
_NAMELESS = frozenset({"", "None", "no object"})
#: What differs from record to record in a reason: what was written there, and numbers.
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]+")


class RefusedRecord(Value):
    """A record that did not become an event, and what is wrong with it. `id` is its source's."""

    id: str
    field: str
    reason: str

    @property
    def kind(self) -> str:
        """What many records have in common that cannot be read for the same reason."""
        return hashlib.sha256(_PARTICULAR.sub("", f"{self.field}: {self.reason}").encode(errors="surrogatepass")).hexdigest()[:16]


class KeptRecord(RefusedRecord):
    """As the ledger has it. `payload` is the record, None if that was too long; `begun` is when polling began, `at` the first refusal."""

    key: str
    payload: Any = None
    is_whole: bool = True
    begun: AwareDatetime | None = None
    at: AwareDatetime | None = None


class KeptRecords(Value):
    """What is kept of one feed, the oldest first, and how many records came when there was no more room for them."""

    customer: str
    feed: str
    records: tuple[KeptRecord, ...]
    dropped: int


class Fate(StrEnum):
    """What became of a refused record."""

    KEPT = "kept"
    #: It is kept, counted or forgotten already.
    KNOWN = "known"
    #: Counted only: no more room.
    DROPPED = "dropped"


def key_of(record_id: str, payload: Any) -> str:
    """Tells a record from others of its feed: by its id, so that one that changes is one; without an id by what it says."""
    telling = as_json(payload) if record_id in _NAMELESS or not isinstance(payload, dict) else record_id
    return hashlib.sha256(telling.encode(errors="surrogatepass")).hexdigest()[:32]


def as_json(payload: Any) -> str:
    """The same text for the same record."""
    return json.dumps(payload, sort_keys=True, default=str)
