"""Machine actions: what was ordered of an endpoint, how it went, and what that says of the endpoint now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...domain.errors import VendorFault
from ...domain.facts import Fact, Sight
from ...domain.text import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

ISOLATE, RELEASE, LIVE_RESPONSE, QUARANTINE = "Isolate", "Unisolate", "LiveResponse", "StopAndQuarantineFile"
#: Every other word, known (Pending, InProgress) or not, is taken for "not ended yet"; the deadline is the pipeline's.
_ENDED = frozenset({"Succeeded", "Failed", "TimeOut", "Cancelled"})
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Order:
    """A machine action of the vendor's."""

    id: str
    kind: str
    status: str
    comment: str
    created: datetime
    updated: datetime
    sha1: str
    trouble: str

    @property
    def is_open(self) -> bool:
        """Whether it may still come true."""
        return self.status not in _ENDED

    @property
    def succeeded(self) -> bool:
        """Whether the vendor says so."""
        return self.status == "Succeeded"

    @property
    def story(self) -> str:
        """For people: what became of it."""
        return f"{self.kind} {self.id} is {self.status}{self.trouble}"


def order(row: dict[str, Any]) -> Order:
    """A machine action as the API writes it. Raises VendorFault for one without an id that is fit for a path."""
    if not _ID.match(str(row.get("id") or "")):
        raise VendorFault("a machine action without a usable id")
    created = instant(row.get("creationDateTimeUtc")) or _LONG_AGO
    about = row.get("relatedFileInfo")
    return Order(
        id=str(row["id"]),
        kind=str(row.get("type") or ""),
        status=str(row.get("status") or ""),
        comment=str(row.get("requestorComment") or ""),
        created=created,
        # The documentation's own sample has the shorter name.
        updated=instant(row.get("lastUpdateDateTimeUtc")) or instant(row.get("lastUpdateTimeUtc")) or created,
        sha1=str(about.get("fileIdentifier") or "").lower() if isinstance(about, dict) else "",
        trouble=_trouble(row),
    )


def _trouble(row: dict[str, Any]) -> str:
    said = [str(row[name]) for name in ("errorHResult", "troubleshootInfo") if row.get(name)]
    commands = row.get("commands")
    for each in commands if isinstance(commands, list) else []:
        said += [str(error) for error in each.get("errors") or []]
    return f" ({whole(', '.join(said))})" if said else ""


def instant(text: Any) -> datetime | None:
    """An instant with up to seven digits after the point, of which six count; None if it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def newest(orders: Sequence[Order]) -> Order | None:
    """The one that ended last. Not the one created last: a doubled isolation may run after a later release."""
    return max(orders, key=lambda each: (each.updated, each.created), default=None)


def order_fact(found: Order | None, *, is_receipt: bool) -> Fact | None:
    """What an order's state says of its effect. A failed one of earlier is no verdict: it may be asked again."""
    if found is None:
        return None
    if found.is_open:
        return Fact(sight=Sight.PENDING, evidence=found.story)
    if found.succeeded:
        return Fact(sight=Sight.PRESENT, evidence=found.story)
    return Fact(sight=Sight.REFUSED if is_receipt else Sight.ABSENT, evidence=found.story)


@dataclass(frozen=True)
class Isolation:
    """What the isolations and releases of one endpoint say. There is no flag on a machine: the last that succeeded decides."""

    last: Order | None
    open: tuple[Order, ...]

    @classmethod
    def of(cls, orders: Sequence[Order]) -> Isolation:
        """From all machine actions of the endpoint."""
        ours = [each for each in orders if each.kind in {ISOLATE, RELEASE}]
        return cls(newest([each for each in ours if each.succeeded]), tuple(each for each in ours if each.is_open))

    def opened(self, kind: str) -> tuple[Order, ...]:
        """The open ones of this kind, oldest first."""
        return tuple(sorted((each for each in self.open if each.kind == kind), key=lambda each: each.created))

    def is_so(self, kind: str) -> bool:
        """Whether the last word was of this kind. No word at all is none."""
        return self.last is not None and self.last.kind == kind

    def fact(self, kind: str, receipt: Order | None) -> Fact:
        """Whether `kind` is in effect, will be, or has failed; `receipt` is the order that was ours."""
        against = self.opened(RELEASE if kind == ISOLATE else ISOLATE)
        if receipt and receipt.kind != kind:
            return self._cancelled(kind, receipt)
        if self.is_so(kind) and not against:
            return Fact(sight=Sight.PRESENT, evidence=f"the last word is {self.last.story if self.last else ''}")
        if self.is_so(kind) and receipt:
            return Fact(sight=Sight.PENDING, evidence=f"so, but {against[0].story}")
        if self.opened(kind) and (receipt or not against):
            return Fact(sight=Sight.PENDING, evidence=self.opened(kind)[0].story)
        if receipt and not receipt.is_open and not receipt.succeeded:
            return Fact(sight=Sight.REFUSED, evidence=receipt.story)
        if self.last is None and not self.open and kind == RELEASE:
            return Fact(sight=Sight.UNKNOWABLE, evidence="no isolation on record, but the record does not reach back for ever")
        return Fact(sight=Sight.ABSENT, evidence=f"the last word is {self.last.story}" if self.last else "never isolated")

    def _cancelled(self, kind: str, cancelled: Order) -> Fact:
        """After an order against ours was cancelled, which was all that there was to do."""
        if cancelled.is_open:
            return Fact(sight=Sight.PENDING, evidence=f"being cancelled: {cancelled.story}")
        is_undone = not cancelled.succeeded and (self.is_so(kind) or self.last is None)
        return Fact(sight=Sight.PRESENT if is_undone and not self.open else Sight.ABSENT, evidence=cancelled.story)
