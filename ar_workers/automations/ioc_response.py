"""IOC response: initial triage by acting on every indicator of the threat (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.actions import BanDomain, BanHash, DeleteFile, DeleteRegistryKey, KillProcess, QuarantineFile
from ..domain.capabilities import Means
from ..domain.endpoints import OS
from ..domain.guards import target_problem
from ..domain.indicators import Domain, File, FileHash, Process, RegistryKey
from ..domain.plans import Plan, Skip, joined
from ..domain.policies import FileResponse
from ..domain.threats import Severity

if TYPE_CHECKING:
    from ..domain.actions import Action, Verb
    from ..domain.endpoints import Endpoint
    from ..domain.events import ThreatPublished
    from ..domain.indicators import IOC
    from ..domain.unread import Unread
    from .context import Context


def plan(event: ThreatPublished, context: Context) -> Plan:
    """One outcome per IOC: an action that the EDR can do, or a skip with its reason. One that could not be read is skipped with its own.

    Conditions:
    - the threat is of high or medium severity, and not one that is told only;
    - the IOC is confirmed malicious and safe to act on, both said by the analysts;
    - at least one affected endpoint is in a remediate group; for an IOC on an endpoint, that very endpoint;
    - the EDR can do it on that OS: hash -> ban hash (of a type that the EDR takes), process -> kill,
      file -> quarantine or delete by the customer's `file_response`, registry key -> delete, domain -> ban;
    - the target is none that must never be touched.
    A threat over several EDRs bans a hash or domain in each of them.
    """
    return joined([*(_respond(event, ioc, context) for ioc in event.iocs), *map(_unread, event.unread_indicators)])


def _respond(event: ThreatPublished, ioc: IOC, context: Context) -> Plan:
    reason = _unfit(event, ioc)
    if reason:
        return _skip(ioc, reason)
    indicator = ioc.indicator
    if isinstance(indicator, FileHash | Domain):
        return _ban(event, ioc, indicator, context)
    return _act_on_endpoint(event, ioc, indicator, context)


def _unfit(event: ThreatPublished, ioc: IOC) -> str | None:
    if event.threat.severity is Severity.LOW:
        return "low severity: not automated"
    if event.not_acted_on:
        return event.not_acted_on
    if not ioc.confirmed_malicious:
        return "not confirmed malicious"
    if not ioc.safe_to_act:
        return "not marked safe to act on"
    return None


def _ban(event: ThreatPublished, ioc: IOC, indicator: FileHash | Domain, context: Context) -> Plan:
    seen = [context.see(endpoint) for endpoint in event.endpoints]
    within = [endpoint for endpoint in seen if context.out_of_reach(endpoint) is None and endpoint.os is not OS.LINUX]
    if not within:
        return _skip(ioc, "no affected endpoint with a supported OS is in a remediate group")
    vendors = dict.fromkeys(endpoint.edr for endpoint in within)
    return joined(_ban_in(event, ioc, indicator, [each for each in within if each.edr is vendor], context) for vendor in vendors)


def _ban_in(event: ThreatPublished, ioc: IOC, indicator: FileHash | Domain, endpoints: list[Endpoint], context: Context) -> Plan:
    edr, because = endpoints[0].edr, tuple(endpoints[:20])
    action: Action
    if isinstance(indicator, FileHash):
        accepted = context.capabilities.hash_types.get(edr, ())
        if accepted and not indicator.best(accepted):
            return _skip(ioc, f"unsupported: {edr} bans {' or '.join(accepted)}, which this IOC does not carry")
        action = BanHash(customer=event.customer, edr=edr, hash=indicator, because=because)
    else:
        action = BanDomain(customer=event.customer, edr=edr, domain=indicator, because=because)
    able = any(context.capabilities.means(edr, action.verb, each.os) is not Means.NONE for each in endpoints)
    return _checked(action, able=able, where=f"{edr}")


def _act_on_endpoint(event: ThreatPublished, ioc: IOC, indicator: File | RegistryKey | Process, context: Context) -> Plan:
    found = next((each for each in event.endpoints if each.agent_id == ioc.agent_id), None)
    if found is None:
        return _skip(ioc, "names no endpoint of this threat")
    endpoint = context.see(found)
    reason = context.out_of_reach(endpoint)
    if not reason and endpoint.os is OS.LINUX:
        reason = "linux is not supported: not acted on by automation"
    if reason:
        return _skip(ioc, reason)
    action = _action_on(event.customer, indicator, endpoint, context)
    able = context.capabilities.may(endpoint.edr, action.verb, endpoint.os)
    return _checked(action, able=able, where=f"{endpoint.edr} on {endpoint.os}")


def _action_on(customer: str, indicator: File | RegistryKey | Process, endpoint: Endpoint, context: Context) -> Action:
    match indicator:
        case Process() as process:
            return KillProcess(customer=customer, edr=endpoint.edr, endpoint=endpoint, process=process)
        case RegistryKey() as registry:
            return DeleteRegistryKey(customer=customer, edr=endpoint.edr, endpoint=endpoint, registry=registry)
        case File() as file:
            kind = DeleteFile if _file_verb(endpoint, context) == "delete_file" else QuarantineFile
            return kind(customer=customer, edr=endpoint.edr, endpoint=endpoint, file=file)


def _file_verb(endpoint: Endpoint, context: Context) -> Verb:
    match context.policy.file_response:
        case FileResponse.DELETE:
            return "delete_file"
        case FileResponse.QUARANTINE:
            return "quarantine_file"
        case FileResponse.QUARANTINE_ELSE_DELETE:
            return "quarantine_file" if context.capabilities.may(endpoint.edr, "quarantine_file", endpoint.os) else "delete_file"


def _checked(action: Action, *, able: bool, where: str) -> Plan:
    reason = target_problem(action) if able else f"unsupported: {where} cannot {action.verb.replace('_', ' ')}"
    if reason:
        return Plan(skips=(Skip(verb=action.verb, subject=action.label, reason=reason),))
    return Plan(actions=(action,))


_VERBS: dict[str, Verb] = {
    "hash": "ban_hash",
    "domain": "ban_domain",
    "file": "delete_file",
    "registry": "delete_registry_key",
    "process": "kill_process",
}


def _skip(ioc: IOC, reason: str) -> Plan:
    return Plan(skips=(Skip(verb=_VERBS[ioc.indicator.type], subject=ioc.label, reason=reason),))


def _unread(unread: Unread) -> Plan:
    return Plan(skips=(Skip(verb=_VERBS.get(unread.kind, "act_on"), subject=unread.shown, reason=unread.reason),))
