"""What SentinelOne documents of the routes that the twin has: the management console's own API reference.

The lists have hundreds of filters; here stand those of what a responder asks for.
"""

from __future__ import annotations

from ..documented import Documentation, documented_in

_system = documented_in("API reference: System, Users")
_agents = documented_in("API reference: Agents, Agent Actions, Groups")
_bans = documented_in("API reference: Exclusions and Blocklist")
_iocs = documented_in("API reference: Threat Intelligence")
_threats = documented_in("API reference: Threats, Alerts")
_scripts = documented_in("API reference: RemoteOps (Remote Script Orchestration)")

_PAGE = "limit skip cursor countOnly skipCount sortBy sortOrder"
_SCOPES = "tenant accountIds siteIds groupIds"
_TIMES = " ".join(f"{name}__{kind}" for name in ("createdAt", "updatedAt") for kind in ("gt", "gte", "lt", "lte", "between"))
_AGENT = (
    "ids uuids query computerName computerName__contains computerName__like osTypes accountIds siteIds groupIds networkStatuses isActive "
    "isDecommissioned isUninstalled isPendingUninstall infected machineTypes domains filterId networkInterfaceInet__contains "
    f"externalIp__contains agentVersions lastActiveDate__gt lastActiveDate__gte lastActiveDate__lt lastActiveDate__lte {_TIMES}"
)
_THREAT = (
    "ids query agentIds accountIds siteIds groupIds osTypes incidentStatuses incidentStatusesNin mitigationStatuses mitigationStatusesNin "
    "analystVerdicts analystVerdictsNin confidenceLevels classifications contentHashes contentHash__contains computerName__contains "
    f"displayName resolved {_TIMES}"
)
_STAR = f"ids query accountIds siteIds groupIds incidentStatus analystVerdict severity ruleName__contains origAgentUuid__contains {_TIMES}"
_SCOPE = "filter " + " ".join(f"filter.{name}" for name in _SCOPES.split())
_TARGETS = "filter " + " ".join(f"filter.{name}" for name in _AGENT.split())
_ENTRY = "data data.type data.osType data.value data.sha256Value data.source data.description"
_LISTED = f"ids query type types value value__contains osTypes includeParents includeChildren {_TIMES}"
_IOC = (
    "data data.source data.type data.value data.method data.validUntil data.name data.externalId data.description data.severity "
    "data.creationTime data.metadata"
)
_EXECUTION = (
    "data data.scriptId data.outputDestination data.taskDescription data.inputParams data.scriptRuntimeTimeoutSeconds data.requiresApproval"
)

DOCUMENTATION = Documentation(
    headers=frozenset({"authorization"}),
    scheme="ApiToken ",
    routes={
        ("GET", "system/info"): _system(),
        ("GET", "system/status"): _system(),
        ("GET", "user"): _system(),
        ("POST", "users/api-token-details"): _system(body="data data.apiToken"),
        ("GET", "agents"): _agents(query=f"{_PAGE} {_AGENT}"),
        ("POST", "agents/actions/disconnect"): _agents(body=f"{_TARGETS} data"),
        ("POST", "agents/actions/connect"): _agents(body=f"{_TARGETS} data"),
        ("GET", "groups"): _agents(query=f"{_PAGE} ids name query type types accountIds siteIds isDefault {_TIMES}"),
        ("GET", "restrictions"): _bans(query=f"{_PAGE} {_SCOPES} {_LISTED}"),
        ("POST", "restrictions"): _bans(body=f"{_SCOPE} {_ENTRY}"),
        ("DELETE", "restrictions"): _bans(body="data data.type data.ids"),
        ("GET", "threat-intelligence/iocs"): _iocs(query=f"{_PAGE} {_SCOPES} type value uuids source name__contains externalId"),
        ("POST", "threat-intelligence/iocs"): _iocs(body=f"{_SCOPE} {_IOC}"),
        ("DELETE", "threat-intelligence/iocs"): _iocs(body=f"{_SCOPE} filter.uuids filter.type filter.value"),
        ("GET", "threats"): _threats(query=f"{_PAGE} {_THREAT}"),
        ("POST", "threats/mitigate/*"): _threats(body="filter filter.ids data"),
        ("GET", "cloud-detection/alerts"): _threats(query=f"{_PAGE} {_STAR}"),
        ("GET", "remote-scripts"): _scripts(query=f"{_PAGE} {_SCOPES} ids query scriptType osTypes"),
        ("POST", "remote-scripts/execute"): _scripts(body=f"{_TARGETS} {_EXECUTION}"),
        ("GET", "remote-scripts/status"): _scripts(query=f"{_PAGE} {_SCOPES} ids parentTaskId parentTaskId__in status agentIds"),
        ("POST", "remote-scripts/fetch-files"): _scripts(body="data data.taskIds"),
        ("GET", "remote-scripts/pending-executions"): _scripts(query=f"{_PAGE} {_SCOPES} ids state"),
        ("PUT", "remote-scripts/pending-executions/*"): _scripts(body="data data.action data.reason"),
    },
)
