"""The actions of the SentinelOne adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import (
    BanDomain,
    BanHash,
    DeleteFile,
    DeleteRegistryKey,
    IsolateEndpoint,
    KillProcess,
    QuarantineFile,
    ReleaseEndpoint,
    UnbanDomain,
    UnbanHash,
    UnquarantineFile,
    mark_of,
)
from ...domain.capabilities import Means
from ...domain.endpoints import OS, Endpoint, Role, Vendor
from ...domain.errors import Denied, EndpointNotFound, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.indicators import HashType
from ...domain.limits import Limits, Rate
from ...domain.paths import content_problem
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs, withdraws
from ..ours import changed, ids_in, made, unbanned
from .api import Config, ConsoleAPI, Row, one_id
from .checkup import probes
from .remoteops import RemoteOps
from .threats import MITIGATE_QUARANTINE, MITIGATE_UNQUARANTINE, instant, quarantine_fact, quarantine_report, threat_of, unquarantine_fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..probes import Probe

AGENTS = "agents"
GROUPS = "groups"
THREATS = "threats"
RESTRICTIONS = "restrictions"
INDICATORS = "threat-intelligence/iocs"
#: The vendor's largest page of groups; other lists take 1000.
GROUP_PAGE = 300

_ROLES = {"server": Role.SERVER, "desktop": Role.WORKSTATION, "laptop": Role.WORKSTATION}
_SYSTEMS = {"windows": OS.WINDOWS, "windows_legacy": OS.WINDOWS, "macos": OS.MACOS, "linux": OS.LINUX}
#: A domain's indicator lives 180 days at most; whole days keep a repeat equal to the first.
_DOMAIN_LIFE = timedelta(days=179)
_SCRIPT = "by a RemoteOps script of the customer's library, which confirms and acts in one run"


class SentinelOne(EDRAdapter):
    """One customer at one console."""

    vendor = Vendor.SENTINELONE
    #: Best first. Every console takes a SHA-1; SHA-256 came later. No row is keyed by MD5.
    hash_types = (HashType.SHA1, HashType.SHA256)
    limits = Limits(
        rates=(Rate(calls=300, per=timedelta(minutes=1)),),
        on_429="Retry-After in seconds, where there is one",
        source="unpublished but for logins; a cautious guess",
    )
    grant = "in the console, Settings > Users > Roles, allow it to the role of the token's user"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._api = ConsoleAPI(config)
        self._remote = RemoteOps(self._api, config)

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as the console shows it now. Raises EndpointNotFound, also for one that is decommissioned."""
        return self._endpoint(self._agent(agent_id))

    def members(self, group: str) -> Iterator[Endpoint]:
        """Page through every group of exactly this name: names are unique only within a site."""
        found = self._api.rows(GROUPS, limit=GROUP_PAGE, name=group, **self._config.scope_query)
        ids = [str(row["id"]) for row in found if row.get("name") == group]
        if not ids:
            raise Denied(f"SentinelOne has no group named {group!r}")
        for group_id in ids:
            rows = self._api.rows(AGENTS, groupIds=group_id, isDecommissioned="false", isUninstalled="false")
            yield from map(self._endpoint, rows)

    def sign_in(self) -> object:
        """A look at one endpoint."""
        return self._api.get(AGENTS, limit=1, **self._config.scope_query)

    def probes(self) -> Iterator[Probe]:
        """See `checkup`."""
        return probes(self._api, self._config)

    def _agent(self, agent_id: str) -> Row:
        page = self._api.get(AGENTS, ids=one_id(agent_id), **self._config.scope_query)
        found = next((row for row in page.data or [] if row.get("id") == agent_id), None)
        if found is None:
            raise EndpointNotFound(f"SentinelOne knows no agent {agent_id} in this scope")
        if found.get("isDecommissioned") or found.get("isUninstalled"):
            raise EndpointNotFound(f"agent {agent_id} is decommissioned or uninstalled")
        return dict(found)

    def _endpoint(self, agent: Row) -> Endpoint:
        group = agent.get("groupName")
        return Endpoint(
            edr=Vendor.SENTINELONE,
            agent_id=str(agent["id"]),
            hostname=str(agent.get("computerName") or agent["id"]),
            os=_SYSTEMS.get(str(agent.get("osType")), OS.UNKNOWN),
            groups=frozenset({str(group)} if group else ()),
            tags=frozenset(_tags(agent.get("tags"))),
            role=_ROLES.get(str(agent.get("machineType"))),
        )

    @performs(IsolateEndpoint, on=EVERYWHERE)
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """`affected` 1 is an order, not an isolation: an offline endpoint's is counted as well."""
        return self._switch(action.endpoint.agent_id, "disconnect", {"disconnecting", "disconnected"})

    @performs(ReleaseEndpoint, on=EVERYWHERE)
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Give the network back."""
        return self._switch(action.endpoint.agent_id, "connect", {"connecting", "connected"})

    def _switch(self, agent_id: str, name: str, wanted: set[str]) -> Receipt:
        if self._api.act(f"{AGENTS}/actions/{name}", agent_id)["affected"]:
            return Receipt(reference=agent_id)
        status = str(self._agent(agent_id).get("networkStatus"))
        if status not in wanted:
            raise VendorFault(f"{name}: nothing was affected, and the agent is {status}")
        return Receipt(reference=agent_id, detail={"affected": "0", "status": status})

    @withdraws(IsolateEndpoint)
    def withdraw_isolation(self, action: IsolateEndpoint, _: Receipt) -> Fact:
        """Connect again what is still disconnecting; the status tells what came of it."""
        self._api.act(f"{AGENTS}/actions/connect", action.endpoint.agent_id)
        return self.isolated(action, None)

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, _: Receipt | None) -> Fact:
        """By networkStatus: connected, disconnecting, disconnected, connecting."""
        return self._network(action.endpoint.agent_id, so="disconnected", pending="disconnecting")

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, _: Receipt | None) -> Fact:
        """By networkStatus."""
        return self._network(action.endpoint.agent_id, so="connected", pending="connecting")

    def _network(self, agent_id: str, *, so: str, pending: str) -> Fact:
        agent = self._agent(agent_id)
        status = str(agent.get("networkStatus") or "")
        sight = Sight.PRESENT if status == so else Sight.PENDING if status == pending else Sight.ABSENT
        is_away = sight is Sight.PENDING and agent.get("isActive") is False
        away = f", and the agent is offline since {agent.get('lastActiveDate') or 'an unknown time'}" if is_away else ""
        return Fact(sight=sight, evidence=f"SentinelOne shows networkStatus {status or 'none'}{away}")

    @performs(BanHash, on=EVERYWHERE, remark="one blocklist entry per action, for the OS of the threat's endpoints")
    def ban_hash(self, action: BanHash, seen: Fact) -> Receipt:
        """One blocklist entry for the OS that lacks it (`seen.handle`); any `type` but black_hash would be an exclusion."""
        kind, value = self._hash(action)
        row = {
            "type": "black_hash",
            "osType": seen.handle,
            "value" if kind is HashType.SHA1 else "sha256Value": value,
            "source": "user",
            "description": mark_of(action),
        }
        try:
            data = self._api.post(RESTRICTIONS, {"filter": self._config.scope_filter, "data": row})
        except Denied as error:
            # Its code is not documented. Whether the entry that exists is as wanted, the next look tells.
            if "already exist" in str(error).lower():
                return Receipt(detail={"conflict": "exists"})
            raise
        first = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
        return made(str(first.get("id") or ""))

    @observes(BanHash)
    def hash_banned(self, action: BanHash, receipt: Receipt | None) -> Fact:
        """By the blocklist of the scope and of those above it. One entry serves one OS, and one action writes one entry:
        where two or more are missing, Unsupported says so before anything is written.
        """
        kind, value = self._hash(action)
        wanted = self._systems(action)
        missing = sorted(wanted - {_SYSTEMS.get(str(row.get("osType")), OS.UNKNOWN) for row in self._banned(kind, value)})
        if not missing:
            return Fact(sight=Sight.PRESENT, evidence=f"on the blocklist for {', '.join(sorted(wanted))}")
        if len(missing) > 1 and receipt is None:
            raise Unsupported(
                f"SentinelOne's blocklist has an entry per OS and one action writes one; {' and '.join(missing)} are missing: "
                "ban all but one of them in the console, then requeue"
            )
        return Fact(sight=Sight.ABSENT, evidence=f"not on the blocklist for {', '.join(missing)}", handle=missing[0])

    def _banned(self, kind: HashType, value: str) -> list[Row]:
        """Entries of exactly this hash. A SHA-256 has no filter of its own, so it is searched for as free text."""
        query = {"value": value} if kind is HashType.SHA1 else {"query": value}
        scope = self._config.scope_query or {"tenant": "true"}
        rows = self._api.rows(RESTRICTIONS, type="black_hash", includeParents="true", **query, **scope)
        field = "value" if kind is HashType.SHA1 else "sha256Value"
        return [row for row in rows if row.get("type") == "black_hash" and str(row.get(field) or "").lower() == value]

    @performs(UnbanHash, on=EVERYWHERE, remark="every entry that we made, whatever its OS")
    def unban_hash(self, _: UnbanHash, seen: Fact) -> Receipt:
        """Delete our entries by their ids."""
        self._api.delete(RESTRICTIONS, {"data": {"type": "black_hash", "ids": ids_in(seen)}})
        return Receipt(reference=seen.handle)

    @observes(UnbanHash)
    def hash_unbanned(self, action: UnbanHash, receipt: Receipt | None) -> Fact:
        """By the blocklist of the scope and of those above it."""
        rows = self._banned(*self._hash(action))
        return unbanned(action, rows, receipt, where="SentinelOne's blocklist", words="the entry for {osType}, by {userName}")

    def _systems(self, action: BanHash) -> set[OS]:
        """The OS families of the endpoints that justify the ban, read from the console where the event did not tell."""
        systems = set()
        for endpoint in action.because:
            with contextlib.suppress(EndpointNotFound):
                systems.add(endpoint.os if endpoint.os is not OS.UNKNOWN else self.endpoint(endpoint.agent_id).os)
        systems.discard(OS.UNKNOWN)
        if not systems:
            raise Unsupported("SentinelOne's blocklist has an entry per OS, and no endpoint of the threat tells which is meant")
        return systems

    def _hash(self, action: BanHash | UnbanHash) -> tuple[HashType, str]:
        found = action.hash.best(self.hash_types)
        if not found:
            raise Unsupported("SentinelOne bans sha1 or sha256, and this IOC carries neither")
        return found

    @performs(BanDomain, on=EVERYWHERE, means=Means.DETECT_ONLY, remark="an indicator alerts, does not block, and expires")
    def ban_domain(self, action: BanDomain, seen: Fact) -> Receipt:
        """An indicator that is created, or renewed where it exists (`handle`). Our mark stands only on what we made."""
        valid_until = (datetime.now(UTC) + _DOMAIN_LIFE).strftime("%Y-%m-%dT00:00:00.000000Z")
        row = {
            "type": "DNS",
            "value": action.domain.domain,
            "method": "EQUALS",
            "source": "ar_workers",
            "name": "Active Remediation",
            "description": "Active Remediation" if seen.handle else mark_of(action),
            "externalId": action.domain.domain,
            "validUntil": valid_until,
        }
        data = self._api.post(INDICATORS, {"filter": {"accountIds": [self._account()]}, "data": [row]})
        first = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
        uuid = str(first.get("uuid") or "")
        return changed(uuid, seen) if seen.handle else made(uuid)

    @observes(BanDomain)
    def domain_banned(self, action: BanDomain, _: Receipt | None) -> Fact:
        """By the indicators that are still valid; the evidence says that they do not block."""
        rows = self._indicators(action.domain.domain)
        ends = [instant(row.get("validUntil")) for row in rows]
        now = datetime.now(UTC)
        valid = [end for end in ends if end and end > now]
        state = f"indicator until {max(valid).date()}" if valid else "no valid indicator"
        evidence = f"detect-only, SentinelOne does not block domains: {state}"
        stood = "" if valid else next((str(row.get("uuid") or "") for row in rows), "")
        return Fact(sight=Sight.PRESENT if valid else Sight.ABSENT, evidence=evidence, handle=stood)

    def _indicators(self, name: str) -> list[Row]:
        """Those of exactly this domain."""
        rows = self._api.rows(INDICATORS, accountIds=self._account(), type="DNS", value=name)
        return [row for row in rows if row.get("type") == "DNS" and str(row.get("value")).lower() == name]

    @performs(UnbanDomain, on=EVERYWHERE)
    def unban_domain(self, _: UnbanDomain, seen: Fact) -> Receipt:
        """Delete our indicators by their ids, within the account: a filter without ids would hit all of them."""
        self._api.delete(INDICATORS, {"filter": {"accountIds": [self._account()], "uuids": ids_in(seen)}})
        return Receipt(reference=seen.handle)

    @observes(UnbanDomain)
    def domain_unbanned(self, action: UnbanDomain, receipt: Receipt | None) -> Fact:
        """By the indicators of the account."""
        rows = self._indicators(action.domain.domain)
        return unbanned(action, rows, receipt, where="SentinelOne", words="the indicator of {source}", key="uuid")

    def _account(self) -> str:
        if not self._config.account_id:
            raise Unsupported("SentinelOne keeps indicators per account, and no account_id is configured")
        return self._config.account_id

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL, remark=_SCRIPT)
    def kill(self, action: KillProcess, _: Fact) -> Receipt:
        """By pid, once the script has confirmed image path, image hash or start time."""
        return self._remote.run(action, self._system(action.endpoint))

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL, remark=_SCRIPT)
    def delete_file(self, action: DeleteFile, _: Fact) -> Receipt:
        """By path, once the script has confirmed the hash."""
        return self._remote.run(action, self._system(action.endpoint))

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL, remark=_SCRIPT)
    def delete_registry_key(self, action: DeleteRegistryKey, _: Fact) -> Receipt:
        """A key, or one value of it."""
        return self._remote.run(action, OS.WINDOWS)

    @observes(KillProcess, DeleteFile, DeleteRegistryKey)
    def scripted(self, action: KillProcess | DeleteFile | DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By what the script has printed. Before it ran the console cannot tell: it shows no process, file or registry."""
        if receipt is None:
            self._remote.check(action, self._system(action.endpoint))
            return Fact(sight=Sight.UNKNOWABLE, evidence="SentinelOne cannot show it before a script has looked")
        return self._remote.outcome(action.endpoint.agent_id, receipt)

    def _system(self, endpoint: Endpoint) -> OS:
        return endpoint.os if endpoint.os is not OS.UNKNOWN else self.endpoint(endpoint.agent_id).os

    @performs(QuarantineFile, on=EVERYWHERE, remark="only a file of a threat that SentinelOne itself has found on the endpoint")
    def quarantine(self, action: QuarantineFile, _: Fact) -> Receipt:
        """Mitigate the file's threat, unless that is under way or done by now."""
        threat_id, threat = self._threat(action)
        if quarantine_fact(threat).sight in {Sight.PRESENT, Sight.PENDING}:
            return Receipt(reference=threat_id)
        if not self._api.act(MITIGATE_QUARANTINE, threat_id)["affected"]:
            raise Denied(f"quarantine: nothing was affected by the order for threat {threat_id}")
        before = str(quarantine_report(threat).get("lastUpdate") or "")
        return Receipt(reference=threat_id, detail={"before": before})

    @observes(QuarantineFile)
    def quarantined(self, action: QuarantineFile, receipt: Receipt | None) -> Fact:
        """By the threat's own report; with a receipt one that is newer than the order, which may take its time to appear."""
        _, threat = self._threat(action, receipt.reference if receipt else "")
        if receipt and "before" in receipt.detail and quarantine_report(threat).get("lastUpdate", "") == receipt.detail["before"]:
            return Fact(sight=Sight.PENDING, evidence="SentinelOne has not reported on the quarantine yet")
        fact = quarantine_fact(threat)
        # A failure of somebody's earlier order is no answer to ours.
        return fact if receipt or fact.sight is not Sight.REFUSED else fact.model_copy(update={"sight": Sight.ABSENT})

    @performs(UnquarantineFile, on=EVERYWHERE, remark="the file of the threat that we had quarantined")
    def unquarantine(self, action: UnquarantineFile, _: Fact) -> Receipt:
        """Take the mitigation of the file's threat back, unless that is under way."""
        threat_id, threat = self._quarantined_threat(action)
        if unquarantine_fact(threat).sight is Sight.PENDING:
            return Receipt(reference=threat_id)
        if not self._api.act(MITIGATE_UNQUARANTINE, threat_id)["affected"]:
            raise Denied(f"un-quarantine: nothing was affected by the order for threat {threat_id}")
        return Receipt(reference=threat_id, detail={"before": str(quarantine_report(threat).get("lastUpdate") or "")})

    @observes(UnquarantineFile)
    def unquarantined(self, action: UnquarantineFile, receipt: Receipt | None) -> Fact:
        """By the threat's own report, likewise."""
        _, threat = self._quarantined_threat(action)
        if receipt and "before" in receipt.detail and quarantine_report(threat).get("lastUpdate", "") == receipt.detail["before"]:
            return Fact(sight=Sight.PENDING, evidence="SentinelOne has not reported on the file's return yet")
        fact = unquarantine_fact(threat)
        return fact if receipt or fact.sight is not Sight.REFUSED else fact.model_copy(update={"sight": Sight.ABSENT})

    def _quarantined_threat(self, action: UnquarantineFile) -> tuple[str, Row]:
        """The one that we had mitigated."""
        return self._threat(action, action.made.reference if action.made else "")

    def _threat(self, action: QuarantineFile | UnquarantineFile, threat_id: str = "") -> tuple[str, Row]:
        """The newest threat of this file on this endpoint. With `threat_id` the one that was ordered to be mitigated:
        Denied, not Unsupported, if it is gone, because something was asked for.
        """
        problem = content_problem(action.file.path, action.endpoint.os)
        if problem:
            raise Denied(problem)
        if not (action.file.sha256 or action.file.sha1):
            raise Unsupported("SentinelOne quarantines the file of a threat, and without its SHA-256 or SHA-1 none can be told to be meant")
        rows = self._api.rows(THREATS, agentIds=one_id(action.endpoint.agent_id), sortBy="createdAt", sortOrder="desc")
        found = [row for row in rows if threat_of(row, action) and threat_id in {"", row["id"]}]
        if not found and threat_id:
            raise Denied(f"SentinelOne no longer shows threat {threat_id}")
        if not found:
            raise Unsupported("SentinelOne quarantines only files of threats it has found, and shows none of this path and content here")
        return str(found[0]["id"]), found[0]


def _tags(tags: Any) -> Iterator[str]:
    """Each as `key:value`, and by either of them. Some consoles give null, or a text."""
    given = tags.get("sentinelone") if isinstance(tags, dict) else None
    for each in given if isinstance(given, list) else []:
        words = [str(each[name]) for name in ("key", "value") if isinstance(each, dict) and each.get(name)]
        yield from {*words, ":".join(words)}
