"""What a customer's file may say: its sections and their keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..domain.endpoints import Vendor
from ..domain.notifications import Receiver
from ..domain.policies import FileResponse, MediumIsolation
from ..domain.protection import ProtectedEndpoint, ProtectedTarget
from ..domain.routes import Route
from ..domain.text import Line, MailAddress, Slug


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ThreatPublished(_Section):
    medium_isolation: MediumIsolation = MediumIsolation.ALWAYS


class _IOCResponse(_Section):
    file_response: FileResponse = FileResponse.QUARANTINE_ELSE_DELETE


class _Emails(_Section):
    emails: tuple[MailAddress, ...] = ()


class _Managed(_Section):
    """An automation that leaves nothing to set."""


class Automations(_Section):
    """The documented knobs of the managed automations; a test holds them against `automations.KNOBS`."""

    threat_published: _ThreatPublished = _ThreatPublished()
    ioc_response: _IOCResponse = _IOCResponse()
    remediation_requested: _Managed = _Managed()
    notify_tre_of_note: _Managed = _Managed()
    notify_customer_of_note: _Emails = _Emails()
    unsupported_os: _Emails = _Emails()
    threat_closed: _Managed = _Managed()
    action_needed: _Managed = _Managed()
    release_requested: _Managed = _Managed()


class Protect(_Section):
    """What must never be touched, and how many endpoints may be cut off in an hour."""

    endpoints: tuple[ProtectedEndpoint, ...] = ()
    never_touch: tuple[ProtectedTarget, ...] = ()
    isolations_per_hour: Annotated[int, Field(ge=0)] = 100


class Polled(BaseModel):
    """A section that may be polled, and whatever else its adapter or feed wants (checked by that one's own Config)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    poll: bool = False
    #: How far back each reading goes, for what comes late; by default what suits the feed.
    poll_overlap_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] | None = None


class EDRSection(Polled):
    """One EDR, with its remediate groups."""

    remediate_groups: Annotated[tuple[Line, ...], Field(min_length=1)]


class ReceiverSection(BaseModel):
    """A named receiver: its channel, its address on it, and whatever else the channel wants (checked by its own Config)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    channel: Literal["slack", "pagerduty", "email", "teams", "webhook", "sms", "voice", "syslog"]
    to: Line | None = None

    def receiver(self, name: str) -> Receiver:
        """As notifications know it. Where the options say it all, the name stands for the address."""
        return Receiver(name=name, channel=self.channel, address=self.to or name)


class RedCanarySection(Polled):
    """The customer's portal at Red Canary, as a source of threats."""


class CustomerFile(_Section):
    """The whole file."""

    edr: dict[Vendor, EDRSection] = {}
    receivers: dict[Slug, ReceiverSection] = {}
    routes: tuple[Route, ...] = ()
    redcanary: RedCanarySection | None = None
    automations: Automations = Automations()
    protect: Protect = Protect()
