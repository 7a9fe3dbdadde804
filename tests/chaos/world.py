"""A generated world of tenants and endpoints, the threats that hit it, and the effects that these must have."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ar_workers.domain.endpoints import OS, Endpoint, Vendor
from ar_workers.domain.events import NoteAdded, ThreatPublished
from ar_workers.domain.indicators import IOC, Domain, File, FileHash, Process, RegistryKey
from ar_workers.domain.threats import Author, Note, Severity, Threat
from tests.chaos.tenants import MAKES, hash_of, tenant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ar_workers.domain.events import Event
    from ar_workers.domain.indicators import Indicator

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
#: Every threat of a family bans this one hash too, so that rows are shared between threats.
FAMILY = 5
#: The share of a campaign's threats that hit tenants of other vendors, which allow fewer calls a minute.
SHARE = 0.06
#: Tenants of other vendors, for storms that want them.
OTHERS = {"hooli": Vendor.SENTINELONE, "initech": Vendor.DEFENDER}

#: tenant, verb, agent id or "" for a tenant-wide effect, target: as the twins' journal names an effect.
Effect = tuple[str, str, str, str]


@dataclass
class Campaign:
    """Threats against `tenants`, one endpoint each; the same seed makes the same campaign.

    `tenants` are CrowdStrike's; now and then one of `others` is hit.
    """

    seed: int
    tenants: Sequence[str] = ("acme", "globex")
    others: Mapping[str, Vendor] = field(default_factory=dict)
    #: Every so-manieth threat has a note too, of which the customer is told by mail; 0 is none.
    noted: int = 0
    iocs: int = 6
    threats: list[ThreatPublished] = field(default_factory=list)
    expected: set[Effect] = field(default_factory=set)
    world: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        tenants = {name: tenant(name, vendor) for name, vendor in self.vendors.items()}
        calm = {"requests_per_minute": 10**9, "token_life": 10**7, "bad_tokens_per_minute": 10**6, "tokens_per_minute": 10**6}
        self.world = {"tenants": tenants, "options": {"crowdstrike": calm | {"session_life": 10**6}}}

    @property
    def vendors(self) -> dict[str, Vendor]:
        """Every tenant, and whose EDR it has."""
        return {**dict.fromkeys(self.tenants, Vendor.CROWDSTRIKE), **self.others}

    def add(self, number: int) -> list[ThreatPublished]:
        """So many more threats, each on an endpoint of its own that the world must have from its start."""
        first = len(self.threats)
        self.threats += [self._threat(each) for each in range(first, first + number)]
        return self.threats[first:]

    def with_notes(self, events: Sequence[ThreatPublished]) -> list[Event]:
        """The events, and behind each the note on its threat if it has one."""
        return [each for event in events for each in (event, self.note_on(event)) if each]

    def note_on(self, event: ThreatPublished) -> NoteAdded | None:
        """A TRE's summary."""
        if not self.noted or int(event.threat_id.removeprefix("T-")) % self.noted:
            return None
        note = Note(author=Author.TRE, name="Kim", text="All is done.", remediation_complete=True)
        return NoteAdded(id=f"note-{event.id}", customer=event.customer, occurred_at=NOON, threat=event.threat, note=note)

    def _threat(self, number: int) -> ThreatPublished:
        is_other = bool(self.others) and self._chance.random() < SHARE
        tenant = self._chance.choice(list(self.others) if is_other else self.tenants)
        vendor, name = self.vendors[tenant], f"PC-{number:06}"
        endpoint = Endpoint(
            edr=vendor, agent_id=MAKES[vendor].agent_id(f"{self.seed}/{name}"), hostname=name, os=OS.WINDOWS,
            groups=frozenset({"Remediate"}),
        )  # fmt: skip
        indicators = [each for each in self._indicators(number)[: self.iocs] if MAKES[vendor].takes(each)]
        self._place(tenant, endpoint, indicators)
        self.expected.add((tenant, "isolate", endpoint.agent_id, ""))
        self.expected |= {effect_of(tenant, endpoint.agent_id, each) for each in indicators}
        return ThreatPublished(
            id=f"ev-{number}",
            customer=tenant,
            occurred_at=NOON,
            threat=Threat(
                id=f"T-{number}", severity=Severity.HIGH, classification="Ransomware", url=f"https://ar.example/threats/{number}"
            ),
            endpoints=(endpoint,),
            iocs=tuple(
                IOC(indicator=each, confirmed_malicious=True, safe_to_act=True, agent_id=_where(each, endpoint)) for each in indicators
            ),
        )

    def _indicators(self, number: int) -> list[Indicator]:
        path = rf"C:\Users\u{number}\evil.exe"
        family = FileHash(sha256=hash_of("sha256", f"{self.seed}/family/{number // FAMILY}"))
        return [
            Process(pid=4000 + number % 1000, image_path=path, sha256=hash_of("sha256", path)),
            File(path=path, sha256=hash_of("sha256", path)),
            RegistryKey(key=rf"HKLM\Software\Evil{number}"),
            FileHash(sha256=hash_of("sha256", f"{self.seed}/{number}")),
            Domain(domain=f"c2-{number}.example"),
            family,
        ]

    def _place(self, tenant: str, endpoint: Endpoint, indicators: list[Indicator]) -> None:
        there: dict[str, Any] = {"processes": [], "files": [], "registry": {}}
        for each in indicators:
            match each:
                case Process():
                    there["processes"].append({"pid": each.pid, "path": each.image_path, "sha256": each.sha256})
                case File():
                    there["files"].append({"path": each.path, "sha256": each.sha256})
                case RegistryKey():
                    there["registry"][each.key] = {"Run": "evil.exe"}
        self.world["tenants"][tenant]["endpoints"].append(
            {
                "agent_id": endpoint.agent_id,
                "hostname": endpoint.hostname,
                "groups": [MAKES[endpoint.edr].group],
                "check_in_delay": 2.0,
                **there,
            }
        )


def _where(indicator: Indicator, endpoint: Endpoint) -> str | None:
    return None if isinstance(indicator, FileHash | Domain) else endpoint.agent_id


def effect_of(tenant: str, agent_id: str, indicator: Indicator) -> Effect:
    """The one effect that the response to this indicator must have."""
    match indicator:
        case Process():
            return tenant, "kill_process", agent_id, str(indicator.pid)
        case File():
            return tenant, "delete_file", agent_id, indicator.path
        case RegistryKey():
            return tenant, "delete_registry_key", agent_id, indicator.key
        case FileHash():
            return tenant, "ban_hash", "", str(indicator.sha256)
        case Domain():
            return tenant, "ban_domain", "", indicator.domain
