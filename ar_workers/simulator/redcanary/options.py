"""The knobs of the Red Canary twin: the portal's quirks, and the points where it is not documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Options:
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

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Options:
        known = {one.name for one in fields(cls)}
        if unknown := set(document) - known:
            raise ValueError(f"unknown redcanary options: {', '.join(sorted(unknown))}")
        return replace(cls(), **document)
