"""What a customer's file may say: its sections and their keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..domain.channels import ADDRESSES, ChannelName
from ..domain.endpoints import Role, Vendor
from ..domain.holds import HoldEnd, HoldLife
from ..domain.notifications import Receiver
from ..domain.policies import FileResponse, MediumIsolation, Mode, Patience, Policy
from ..domain.protected import ProtectedEndpoint, untold
from ..domain.protection import ProtectedTarget
from ..domain.routes import Route
from ..domain.text import Line, MailAddress, Slug
from ..domain.wellknown import OwnDomain


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _default(name: str) -> Any:
    """A policy's defaults stand with the policy."""
    return Policy.model_fields[name].default


class _ThreatPublished(_Section):
    medium_isolation: MediumIsolation = Field(
        _default("medium_isolation"),
        description="When a threat of medium severity isolates. Business hours are 06:00-18:00 Mountain time, Monday to Friday, "
        "without the US federal holidays.",
    )


class _IOCResponse(_Section):
    file_response: FileResponse = Field(
        _default("file_response"),
        description="What is done about a malicious file. `quarantine` is skipped, with its reason, where the EDR cannot.",
    )


class _ThreatClosed(_Section):
    undo_false_positives: bool = Field(
        _default("undo_false_positives"),
        description="Whether what was done for a threat is undone by itself when it is closed as a false positive: endpoints released, "
        "bans of ours lifted, files given back. Without it the TREs are told what can be undone, and by which command.",
    )


class _Emails(_Section):
    emails: tuple[MailAddress, ...] = Field((), description="Mail addresses that are told where no route names this kind of notification.")


class _NotContained(_Section):
    high: Patience = Field(
        _default("high_within"),
        description="So long an isolation for a threat of high severity may take, such as `90s`, `15m` or `2h`. Then the TREs are told "
        "that it is not in effect and why, again after an hour, and then every day.",
    )
    medium: Patience = Field(_default("medium_within"), description="The same for medium severity.")


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
    threat_closed: _ThreatClosed = _ThreatClosed()
    action_needed: _Managed = _Managed()
    not_contained: _NotContained = _NotContained()
    undecided: _Managed = _Managed()
    delivery_failed: _Managed = _Managed()
    release_requested: _Managed = _Managed()
    undo_requested: _Managed = _Managed()
    work_hindered: _Managed = _Managed()


class Protect(_Section):
    """What must never be touched, and how much may be done at once."""

    endpoints: tuple[ProtectedEndpoint, ...] = Field(
        (),
        description="Agent ids or hostnames (short, whole, `DOMAIN\\HOST`, any case), or patterns of them such as `FIN-*`. What would act "
        "on one is held for a TRE.",
    )
    groups: tuple[Line, ...] = Field((), description="The same by the EDR's groups, or patterns of their names.")
    tags: tuple[Line, ...] = Field(
        (), description="The same by the EDR's tags, or patterns of them. Of a tag that has a key, `key:value`, the key or the value."
    )
    roles: tuple[Role, ...] = Field((), description="The same by what the EDR says an endpoint is. `server` means domain controllers, too.")
    never_touch: tuple[ProtectedTarget, ...] = Field(
        (),
        description="Hashes, domains, files, folders, registry keys and programs' names, or patterns such as `C:\\Acme*\\*.exe`, that no "
        "action may have as its target, with what is above and below them. Such an action is skipped, and no approval opens this.",
    )
    own_domains: tuple[OwnDomain, ...] = Field(
        (),
        description="The customer's own domains, such as that of its Active Directory. A ban of one, or of what is below or above it, "
        "is held for a TRE. Those of its mail addresses, its EDRs' addresses and its endpoints' DNS names are known without being listed.",
    )
    isolations_per_hour: Annotated[int, Field(ge=0)] = Field(
        _default("isolations_per_hour"), description="Isolations of this customer in any hour. The next ones are held for a TRE."
    )
    bans_per_day: Annotated[int, Field(ge=0)] = Field(
        _default("bans_per_day"), description="Bans of hashes and domains in any day, per EDR each. The next ones are held for a TRE."
    )
    isolations_percent_of_group: Annotated[int, Field(ge=0, le=100)] = Field(
        _default("isolations_percent_of_group"),
        description="Isolations of any one remediate group in any hour, in percent of the endpoints that the EDR shows in it. The next "
        "ones are held for a TRE. `100` is no limit.",
    )
    isolations_least_of_group: Annotated[int, Field(ge=0)] = Field(
        _default("isolations_least_of_group"),
        description="So many in any case, however small the group is. Of one whose size cannot be read it is all.",
    )
    holds_expire: HoldLife = Field(
        _default("holds_expire"),
        description="So long what is held waits for a TRE, such as `24h` or `72h`; reminders come until then.",
    )
    holds_end: HoldEnd = Field(
        _default("holds_end"),
        description="What becomes of it then: `deny` calls it off and tells the TREs; with `keep` it waits on, and the reminders go on.",
    )


class Polled(BaseModel):
    """A section that may be polled, and whatever else its adapter or feed wants (checked by that one's own Config)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    poll: bool = Field(default=False, description="Whether beat reads this vendor's alerts every `AR_POLL_SECONDS`.")
    poll_overlap_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] | None = Field(
        None, description="How far back each reading goes, for alerts that are shown late. 15 minutes for EDRs, a day for Red Canary."
    )


class EDRSection(Polled):
    """One EDR, with its remediate groups."""

    remediate_groups: Annotated[tuple[Line, ...], Field(min_length=1)] = Field(
        description="Exact names of the EDR's groups. An endpoint outside them is never acted on."
    )


class ReceiverSection(BaseModel):
    """A named receiver: its channel, its address on it, and whatever else the channel wants (checked by its own Config)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    channel: ChannelName = Field(description="How it is told.")
    to: Line | None = Field(
        None,
        description=f"Its address: {'; '.join(dict.fromkeys(each.words for each in ADDRESSES.values()))}. "
        "The other channels have none, nor has a Slack `webhook_url`.",
    )

    def receiver(self, name: str) -> Receiver:
        """As notifications know it. Where the options say it all, the name stands for the address."""
        return Receiver(name=name, channel=self.channel, address=self.to or name)


class RedCanarySection(Polled):
    """The customer's portal at Red Canary, as a source of threats."""


class CustomerFile(_Section):
    """The whole file."""

    mode: Mode | None = Field(
        None,
        description="`live`: what is planned is done. `dry_run`: all is planned, looked at, judged and told as ever, and stops immediately "
        "before an EDR would be asked. A file that says nothing is live, and `arctl doctor` and `arctl up` warn of it.",
    )
    two_person: bool = Field(
        default=_default("two_person"),
        description="`true`: what a guard holds is approved by another person than who has requeued it. `AR_TWO_PERSON` says so for all.",
    )
    edr: dict[Vendor, EDRSection] = {}
    receivers: dict[Slug, ReceiverSection] = {}
    routes: tuple[Route, ...] = ()
    redcanary: RedCanarySection | None = None
    automations: Automations = Automations()
    protect: Protect = Protect()

    @model_validator(mode="after")
    def _can_match(self) -> CustomerFile:
        problem = untold(self.protect.tags, self.protect.roles, self.edr)
        if problem:
            raise ValueError(f"protect.{problem}")
        return self
