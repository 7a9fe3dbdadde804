"""What is told to whom: a notification is the content, a delivery is one copy of it to one receiver."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter

from .causes import CommonCause, in_words
from .channels import ChannelName
from .dry_runs import DryRun
from .endpoints import CustomerId
from .model import Value
from .next_steps import requeued, when_stopped
from .summaries import Summary
from .text import Line, Prose, Span, Whole, otherwise, whole
from .threats import Threat

#: Of several names in one fact: Slack's line is the shortest.
_LINE = 220
#: Who owns the TREs' receivers; no customer has this name.
TRE = "tre"


class Audience(StrEnum):
    """TREs are told by managed automations; customers by what they chose."""

    TRE = "tre"
    CUSTOMER = "customer"


class Kind(StrEnum):
    """Why somebody is told."""

    THREAT_PUBLISHED = "threat_published"
    THREAT_CLOSED = "threat_closed"
    REMEDIATION_REQUESTED = "remediation_requested"
    NOTE_FROM_CUSTOMER = "note_from_customer"
    REMEDIATION_SUMMARY = "remediation_summary"
    UNSUPPORTED_OS = "unsupported_os"
    ACTION_NEEDED = "action_needed"
    #: An isolation is not in effect in time.
    NOT_CONTAINED = "not_contained"
    #: What had been told of as not in effect is, or is called off.
    CONTAINMENT_SETTLED = "containment_settled"
    #: A receiver of the TREs takes nothing any more.
    RECEIVER_REFUSED = "receiver_refused"


class Notification(Value):
    """The content, before any channel has rendered it: whole, and each channel cuts to what it has room for.

    `threat` is None for what is about an endpoint alone. `facts` are label and value, in reading order.
    `summary` is for channels that can lay it out; its lines stand among the facts too, for those that cannot.
    `once` names something that is told only once until it is forgotten (an endpoint with an unsupported OS).
    `incident` names a matter of its own, which waits for a person now: it is never gathered into a digest, and who is paged by
    threat is paged anew for it, until the matter is told of as settled. Of an isolation that is not in effect it is the row's id.
    `common` is what it shares with others: the first is told at once, those that follow soon are told as one, and `incident` is theirs
    together. `row` is the action that it is about.
    """

    audience: Audience
    kind: Kind
    customer: CustomerId
    threat: Threat | None = None
    headline: Annotated[Whole, otherwise("no headline")]
    facts: tuple[tuple[Line, Annotated[Whole, otherwise("not told")]], ...] = ()
    body: Prose = ""
    summary: Summary | None = None
    once: str | None = None
    incident: str = ""
    common: CommonCause | None = None
    row: str = ""
    dry_run: DryRun = DryRun.NO

    @property
    def mark(self) -> str:
        """What its headline begins with if it tells of a dry run."""
        return self.dry_run.mark

    def marked(self, dry_run: DryRun) -> Notification:
        """The same as one that tells of a dry run, seen by its headline. One that does so already stays as it is."""
        if self.dry_run is not DryRun.NO or dry_run is DryRun.NO:
            return self
        return self.model_copy(update={"dry_run": dry_run, "headline": whole(f"{dry_run.mark}{self.headline}")})

    @property
    def other_facts(self) -> tuple[tuple[str, str], ...]:
        """The facts that the summary does not tell itself."""
        told = set(self.summary.facts()) if self.summary else set()
        return tuple(fact for fact in self.facts if fact not in told)


def remediation_summary(customer: CustomerId, threat: Threat, summary: Summary, *, by: str = "", text: str = "") -> Notification:
    """What the customer is told: the TRE's words, and what the ledger shows. Without a TRE's name it is a draft."""
    told = Notification(
        audience=Audience.CUSTOMER,
        kind=Kind.REMEDIATION_SUMMARY,
        customer=customer,
        threat=threat,
        headline=f"Remediation complete: {threat.id}" if by else f"Draft of the remediation summary: {threat.id}",
        facts=((("Summary by", by),) if by else ()) + summary.facts(),
        body=text,
        summary=summary,
    )
    return told.marked(summary.dry_run)


class Receiver(Value):
    """Where one copy goes: a channel, and the address on it. Never a secret: those stay in the settings.

    `address` is a mail address, a Slack channel id, a phone number, a syslog host, or a name such as `tre` for a
    destination that the settings hold.
    """

    #: What its owner's settings call it; empty for a mail address that is served by the operator's relay.
    name: str = ""
    channel: ChannelName
    address: Line

    @property
    def place(self) -> str:
        """One name per receiver, also where two have the same address."""
        return "/".join(dict.fromkeys(part for part in (self.channel, self.name, self.address) if part))


def _bounded(span: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= span <= timedelta(hours=24):
        raise ValueError("must be from 1m to 24h")
    return span


class Digest(Value):
    """What comes to a receiver after the first `more_than` of a kind `within` this time is told together, at its end."""

    more_than: Annotated[int, Field(ge=1, le=1000)] = Field(description="So many of a kind are told one by one.")
    within: Annotated[Span, AfterValidator(_bounded)] = Field(
        description="The time in which they are counted, and after which the rest is told: `90s`, `10m`, `2h`."
    )


class Delivery(Value):
    """One notification to one receiver. `occurred_at` is when that happened of which it tells.

    If it fails for good, `fallback` is told instead, which has none itself.
    """

    verb: Literal["deliver"] = "deliver"
    notification: Notification
    receiver: Receiver
    occurred_at: AwareDatetime | None = None
    fallback: Receiver | None = None
    digest: Digest | None = None

    @property
    def customer(self) -> str:
        """Whose matter it is."""
        return self.notification.customer

    @property
    def owner(self) -> str:
        """In whose settings the receiver is: the customer's, or those of the TREs."""
        return TRE if self.notification.audience is Audience.TRE else self.customer

    @property
    def label(self) -> str:
        """For people: the channel and what it says."""
        return f"{self.receiver.channel} {self.notification.kind}"

    def written(self) -> str:
        """As the ledger keeps it. That nothing of it is a dry run is not said, so that versions which know of none read it."""
        is_said = self.notification.dry_run is not DryRun.NO
        return self.model_dump_json(exclude=None if is_said else {"notification": {"dry_run": True, "summary": {"dry_run", "would"}}})


_DELIVERY: TypeAdapter[Delivery] = TypeAdapter(Annotated[Delivery, Field()])


def delivery_identity(delivery: Delivery, event_id: str) -> str:
    """`customer:channel:checksum`: one event tells one receiver once."""
    note = delivery.notification
    parts = (note.customer, event_id, note.audience, note.kind, note.once or "", delivery.receiver.place)
    return f"{note.customer}:{delivery.receiver.channel}:{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:16]}"


def instead(delivery: Delivery, receiver: Receiver, reason: str) -> Delivery:
    """The same to the fallback, saying why. It has no fallback itself, and PagerDuty groups by threat of its own accord."""
    note = delivery.notification
    why = whole(f"{delivery.receiver.channel} to {delivery.receiver.address} failed: {reason}")
    return delivery.model_copy(
        update={
            "notification": note.model_copy(update={"facts": (*note.facts, ("Sent here because", why))}),
            "receiver": receiver,
            "fallback": None,
            "digest": None if receiver.channel == "pagerduty" and not note.common else delivery.digest,
        }
    )


def digest_of(deliveries: Sequence[Delivery]) -> Delivery:
    """One delivery in place of several of a kind to one receiver: how many there are, and each with its link."""
    first = deliveries[0].notification
    notes = [each.notification for each in deliveries]
    rows = [note.row for note in notes if note.row] if first.audience is Audience.TRE else []
    digest = Notification(
        audience=first.audience,
        kind=first.kind,
        customer=first.customer,
        headline=f"{first.mark}{len(notes)} more notifications: {first.kind.replace('_', ' ')}",
        facts=tuple(_in_digest(note) for note in notes),
        dry_run=first.dry_run,
        body="\n".join(("Once mended, these are brought back by:", *requeued(rows))) if rows else "",
    )
    told = _of_one_cause(digest, first.common, notes) if first.common else digest
    return deliveries[0].model_copy(update={"notification": told})


def _of_one_cause(digest: Notification, common: CommonCause, notes: Sequence[Notification]) -> Notification:
    """What one cause has stopped: the cause, every action by name, and one way back for all."""
    threats = {note.threat.id: note.threat for note in notes if note.threat}
    named = tuple(("Stopped", line) for line in _lines(dict(note.facts)["Action"] for note in notes))
    links = tuple((f"Threat {threat.id}", threat.url) for threat in threats.values())
    body = when_stopped([note.row for note in notes], common.cause, digest.customer, common) if digest.audience is Audience.TRE else ""
    return digest.model_copy(
        update={
            "headline": f"{digest.mark}{len(notes)} more stopped by one cause: {in_words(common.cause, common.edr)}",
            "facts": (*named, *(links if len(threats) > 1 else ())),
            "body": body,
            "threat": next(iter(threats.values())) if len(threats) == 1 else None,
            "incident": notes[0].incident,
            "common": common,
        }
    )


def _lines(names: Iterable[str]) -> Iterator[str]:
    """The names with commas, in lines that no channel cuts."""
    line = ""
    for name in names:
        if line and len(line) + len(name) > _LINE:
            yield line
            line = ""
        line = f"{line}, {name}" if line else name
    yield line


def _in_digest(note: Notification) -> tuple[str, str]:
    threat = note.threat
    if threat is None:
        return "Endpoint", note.headline
    # The link first: a chat cuts the end.
    return threat.id, f"{threat.severity.upper()} {threat.url} {note.headline}"


@lru_cache(maxsize=256)  # as with actions
def load_delivery(text: str) -> Delivery:
    """A delivery as the ledger kept it."""
    return _DELIVERY.validate_json(text)
