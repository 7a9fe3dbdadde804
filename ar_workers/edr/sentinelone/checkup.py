"""What the role of SentinelOne's token must allow, permission by permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import Denied
from ..probes import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import Config, ConsoleAPI

_SHELL = "kill process, delete file and delete registry key"


def probes(api: ConsoleAPI, config: Config) -> Iterator[Probe]:
    """What is seen by reads of the scope; that orders may be given shows only when one is."""
    scope, banned = config.scope_query, config.scope_query or {"tenant": "true"}
    yield Probe("Endpoints: view", "every action", lambda: api.get("agents", limit=1, **scope))
    yield Probe("Groups: view", "every action", lambda: api.get("groups", limit=1, **scope))
    yield Probe("Endpoints: disconnect and connect", "isolate and release")
    yield Probe("Blocklist: view", "ban hash", lambda: api.get("restrictions", limit=1, type="black_hash", **banned))
    yield Probe("Blocklist: create", "ban hash")
    yield Probe("Blocklist: delete", "unban hash")
    yield Probe("Threats: view", "quarantine file", lambda: api.get("threats", limit=1, **scope))
    yield Probe("Threats: mitigate", "quarantine file and unquarantine file")
    if config.account_id:
        account = config.account_id
        yield Probe("Threat intelligence: view", "ban domain", lambda: api.get("threat-intelligence/iocs", limit=1, accountIds=account))
        yield Probe("Threat intelligence: manage", "ban domain and unban domain")
    if config.scripts:
        yield Probe("RemoteOps scripts: view", _SHELL, lambda: _scripts(api, config))
        yield Probe("Tasks: view", _SHELL, lambda: api.get("remote-scripts/status", limit=1, parentTaskId="1"))
        yield Probe("RemoteOps scripts: run", _SHELL)


def _scripts(api: ConsoleAPI, config: Config) -> str:
    """Raises Denied with the ids that the library does not show. What a script holds cannot be read."""
    wanted = set(config.scripts.values())
    shown = {str(row.get("id")) for row in api.rows("remote-scripts", ids=",".join(sorted(wanted)))}
    if wanted - shown:
        raise Denied(f"the library shows no script {', '.join(sorted(wanted - shown))}: upload those of this version, and set `scripts`")
    return "the configured scripts are in the library; that they are of this version cannot be read"
