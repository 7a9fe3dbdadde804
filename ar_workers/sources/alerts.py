"""What the readers of vendors' alerts share: an alert in our words becomes a published threat."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..domain.endpoints import OS, VENDOR_NAMES, Endpoint, Vendor
from ..domain.errors import InvalidEvent
from ..domain.events import parse_event
from ..domain.text import LONGEST
from ..domain.unread import Unread, read_endpoint
from .reading import Fields, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..domain.events import Event
    from .evidence import Evidence
    from .reading import Grade

#: Leaves room for the vendor's name before it and the revision behind it in an id of 128 characters.
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,89}$")
_REVISION = 12
#: Of an id of another form so much is kept for people, and so many hex digits tell it from others.
_LONGEST_HEAD, _TELLING = 40, 24
#: The path of a page, without the query that may follow.
_PAGE = r"(?:/[^\s?#<>\"'|\\^`{}]*)?(?=[?#]|$)"
_LONGEST_SUMMARY = 20_000


class AlertId(NamedTuple):
    """The vendor's id of an alert, fit to be part of ours. `theirs` is what they wrote, and `doubt` what is odd about it, if anything."""

    text: str
    theirs: str
    doubt: str = ""


@dataclass(frozen=True)
class Ending:
    """That an alert is over: the vendor's words for it, and who said so and when, where that is told."""

    words: str
    by: str = ""
    at: datetime | None = None

    @property
    def is_false_positive(self) -> bool:
        """Whether the vendor says so in so many words, however it writes them (`FALSE_POSITIVE`, `FalsePositive`)."""
        return "falsepositive" in re.sub(r"[^a-z]", "", self.words.casefold())

    def told_by(self, source: str) -> str:
        """The reason for which a threat is closed."""
        return f"{source} shows it as {self.words}" + (f", by {self.by}" if self.by else "")


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A vendor's record in our words. `endpoint` is None where the record names none by its id.

    What is doubtful about its `id` or its `severity` makes it one that is told only, for that reason.

    `occurred_at` is when the vendor made the alert, not when it last changed: what is older than the polling is only told.

    `updated_at` is when it last changed, where the vendor tells. An `ending` with words is one of an alert that the vendor shows as
    over: closed, resolved, false, expected, or its file released. Groups are never taken from an alert: they are those of its
    time, and the EDR is asked for those of now.
    """

    vendor: Vendor
    id: AlertId
    occurred_at: datetime
    severity: Grade
    classification: str
    title: str
    url: str
    summary: Sequence[str]
    endpoint: Endpoint | Unread | None
    evidence: Evidence
    ending: Ending
    updated_at: datetime | None = None


def published(alert: Alert, customer: str | None) -> Event:
    """The alert as ThreatPublished, or as ThreatClosed if it is over. Vendors' records do not tell our customer: it must be given.

    The threat's id is the alert's. The event's id ends with a checksum of all that the event says: an alert that has
    grown is a new event of the same threat, and one that says the same again, whatever else changed in it, a duplicate.
    """
    if not customer:
        raise InvalidEvent("customer", f"is not in a record of {alert.vendor}: name it with --customer")
    threat_id = f"{alert.vendor}-{alert.id.text}"
    common = {"id": threat_id, "customer": customer, "as_of": alert.updated_at, "threat": _threat(alert, threat_id)}
    event = parse_event(common | (_closing(alert) if alert.ending.words else _publication(alert)))
    return event.model_copy(update={"id": f"{threat_id}-{event.checksum[:_REVISION]}"})


def _closing(alert: Alert) -> dict[str, Any]:
    reason = alert.ending.told_by(VENDOR_NAMES[alert.vendor])
    at = alert.ending.at or alert.occurred_at
    return {"type": "threat_closed", "occurred_at": at, "reason": reason, "is_false_positive": alert.ending.is_false_positive}


def _publication(alert: Alert) -> dict[str, Any]:
    unread = alert.evidence.unread
    doubts = "; ".join(doubt for doubt in (alert.severity.doubt, alert.id.doubt) if doubt)
    return {
        "type": "threat_published",
        "occurred_at": alert.occurred_at,
        "endpoints": [alert.endpoint] if isinstance(alert.endpoint, Endpoint) else [],
        "iocs": alert.evidence.iocs,
        "told_only": f"{doubts}: told, not acted on" if doubts else "",
        "unread": [alert.endpoint, *unread] if isinstance(alert.endpoint, Unread) else unread,
    }


def _threat(alert: Alert, threat_id: str) -> dict[str, Any]:
    notes = list(alert.summary)
    if alert.endpoint is None:
        notes.append("The record names no endpoint by its id: nothing can be isolated.")
    if alert.id.doubt:
        notes.append(f"The vendor's id: {alert.id.theirs}")
    return {
        "id": threat_id,
        "severity": alert.severity.severity,
        "classification": alert.classification,
        "title": alert.title,
        "url": alert.url,
        "summary": "\n".join(note for note in notes if note)[:_LONGEST_SUMMARY],
    }


def alert_id(record: Fields, name: str) -> AlertId:
    """The vendor's id of the alert: colons become dots, and one of another form becomes what is readable of it and a checksum.

    Without any an alert cannot be told from others, and is refused.
    """
    found = record.raw(name)
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else record.text(name)
    if _ID.match(text):
        return AlertId(text.replace(":", "."), text)
    head = re.sub(r"[^A-Za-z0-9_-]+", ".", text)[:_LONGEST_HEAD].strip(".")
    checksum = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_TELLING]
    doubt = f"{record.where}{name}: is not an id of at most 90 letters, digits, and : . _ -"
    return AlertId(f"{head}-{checksum}".lstrip("-"), text, doubt)


def endpoint(
    vendor: Vendor, record: Fields, name: str, *, hostname: Any, os: OS = OS.UNKNOWN, groups: frozenset[str] | None = None
) -> Endpoint | Unread | None:
    """The endpoint whose id stands in the field `name`; None where no id does. A hostname alone selects nothing."""
    found = record.raw(name)
    if found in (None, "", 0):  # no set: what stands there may be of any type
        return None
    agent_id = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    return read_endpoint({"edr": vendor, "agent_id": agent_id, "hostname": line_of(hostname), "os": os, "groups": groups})


def console(address: object, *domains: str, default: str) -> str:
    """The console's page that the record names, if it is an https page in one of the vendor's own domains; else the default."""
    own = "|".join(map(re.escape, domains))
    found = re.match(rf"https://(?:[A-Za-z0-9-]+\.)*(?:{own}){_PAGE}", address) if isinstance(address, str) else None
    return found[0] if found and len(found[0]) <= LONGEST else default
