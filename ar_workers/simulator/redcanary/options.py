"""The knobs of the Red Canary twin: the portal's quirks, and the points where it is not documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "redcanary"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    #: What comes behind the last page: nothing, or the last page again and again.
    behind_the_last: Literal["empty", "repeats"] = "empty"
    #: `meta.total_items` is not reliable.
    total_items: Literal["right", "wrong"] = "wrong"
    #: Above it the portal answers 429; 20 a minute is its advice.
    requests_per_second: int = 10
    requests_per_minute: int | None = None
    #: Unverified: the order of detections.
    order: Literal["arrival", "newest first", "by id"] = "newest first"
    #: Unverified: which time `since` compares.
    since: Literal["confirmed_at", "last_activity_seen_at"] = "confirmed_at"
    #: Unverified: whether a 429 says when to come back.
    retry_after: Literal["none", "seconds"] = "none"
