"""What a customer may set, with the defaults that follow the seed page."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from .endpoints import CustomerId, Endpoint, Role, Vendor
from .holds import HoldEnd, HoldLife, HoldTerms
from .model import Value
from .notifications import Receiver
from .protected import Protected, ProtectedEndpoint, protected
from .protection import ProtectedTarget, Protection, protection
from .routes import Route
from .text import Line, Span
from .threats import Severity
from .verbs import Cap


class Mode(StrEnum):
    """Whether the EDRs of a customer are asked to do anything."""

    LIVE = "live"
    #: All is planned, looked at and judged as ever, and stops immediately before the EDR would be asked.
    DRY_RUN = "dry_run"


class MediumIsolation(StrEnum):
    """When a medium severity threat isolates by itself. The seed page says always; the newer FAQ says outside hours."""

    ALWAYS = "always"
    OUTSIDE_BUSINESS_HOURS = "outside_business_hours"


class FileResponse(StrEnum):
    """What is done about a malicious file. Quarantine can be undone, deletion cannot."""

    QUARANTINE = "quarantine"
    DELETE = "delete"
    QUARANTINE_ELSE_DELETE = "quarantine_else_delete"


def _some_time(span: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= span <= timedelta(days=7):
        raise ValueError("must be from 1s to 168h")
    return span


Patience = Annotated[Span, AfterValidator(_some_time)]


class Policy(Value):
    """One customer's rules. An endpoint is acted on only if it is in one of its EDR's `remediate_groups`.

    `protected_endpoints` are agent ids or hostnames, short or whole, or patterns of them: a name may protect, it never selects.
    `protected_groups` and `protected_tags` may be patterns, too. `never_touch` are hashes, domains, paths, registry keys or programs'
    names, or patterns, that no action may have as its target, nor what is above or below them. `own_domains` are
    the customer's, as DNS has them, with what is above or below.
    """

    customer: CustomerId
    mode: Mode = Mode.LIVE
    remediate_groups: dict[Vendor, frozenset[str]] = Field(default_factory=dict)
    medium_isolation: MediumIsolation = MediumIsolation.ALWAYS
    file_response: FileResponse = FileResponse.QUARANTINE_ELSE_DELETE
    #: Whether what was done for a threat is undone when that is closed as a false positive.
    undo_false_positives: bool = False
    protected_endpoints: frozenset[ProtectedEndpoint] = frozenset()
    protected_groups: frozenset[Line] = frozenset()
    protected_tags: frozenset[Line] = frozenset()
    protected_roles: frozenset[Role] = frozenset()
    never_touch: frozenset[ProtectedTarget] = frozenset()
    own_domains: frozenset[str] = frozenset()
    #: Domains that the file names otherwise, with where: its mail addresses, its EDRs' addresses.
    named_domains: dict[str, str] = Field(default_factory=dict)
    #: Blast radius: isolations of this customer in any hour, and bans in any day; the next ones are held for a TRE.
    isolations_per_hour: Annotated[int, Field(ge=0)] = 25
    bans_per_day: Annotated[int, Field(ge=0)] = 200
    #: Of any one remediate group likewise: so much of what the EDR shows in it, but so many in any case.
    isolations_percent_of_group: Annotated[int, Field(ge=0, le=100)] = 20
    isolations_least_of_group: Annotated[int, Field(ge=0)] = 5
    #: So long what a guard holds waits for a person, and what becomes of it then.
    holds_expire: HoldLife = timedelta(hours=72)
    holds_end: HoldEnd = HoldEnd.DENY
    #: Who approves what a guard holds is another person than who asked for it.
    two_person: bool = False
    #: So long an isolation may take by its threat's severity; then the TREs are told that it is not in effect.
    high_within: Patience = timedelta(minutes=15)
    medium_within: Patience = timedelta(minutes=60)
    summary_emails: tuple[Line, ...] = ()
    unsupported_os_emails: tuple[Line, ...] = ()
    #: By name. A kind that some route names goes by the routes alone; the mail addresses above are the default.
    receivers: dict[str, Receiver] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()

    @property
    def is_dry(self) -> bool:
        """Whether nothing is asked of the customer's EDRs."""
        return self.mode is Mode.DRY_RUN

    def may_remediate(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint is known to be in a remediate group."""
        return bool(endpoint.groups and endpoint.groups & self.remediate_groups.get(endpoint.edr, frozenset()))

    def contained_within(self, severity: Severity) -> timedelta:
        """How long an isolation may take before the TREs are told that it is not in effect."""
        return self.high_within if severity is Severity.HIGH else self.medium_within

    @property
    def caps(self) -> dict[Cap, int]:
        """The blast radius, as the ledger asks for it."""
        return {Cap.ISOLATIONS: self.isolations_per_hour, Cap.BANS: self.bans_per_day}

    @property
    def hold_terms(self) -> HoldTerms:
        """How long a hold waits, and when people are first told of it again: when an isolation should have been in effect."""
        return HoldTerms(life=self.holds_expire if self.holds_end is HoldEnd.DENY else None, remind_after=self.high_within)

    @property
    def protected(self) -> Protected:
        """Whose endpoints a person decides about."""
        return protected(self.protected_endpoints, self.protected_groups, self.protected_tags, self.protected_roles)

    @property
    def protection(self) -> Protection:
        """What the customer listed as what nothing may touch."""
        return protection(self.never_touch)


#: After the first reminder that an isolation is not in effect, and after each further one, the next one comes.
REMIND_AGAIN, REMIND_DAILY = timedelta(hours=1), timedelta(days=1)
