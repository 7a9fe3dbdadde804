"""Endpoints and groups as Cortex lists them: a page at a time, at most a hundred on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...domain.endpoints import OS, Endpoint, Role, Vendor
from ...domain.errors import Denied, EndpointNotFound, EndpointOffline, VendorFault
from .api import V1, CortexAPI, count, objects, only

if TYPE_CHECKING:
    from collections.abc import Iterator

_GET_ENDPOINT = f"{V1}/endpoints/get_endpoint"
_PAGE = 100
#: Both spellings of macOS occur.
_ROLES = {"AGENT_TYPE_SERVER": Role.SERVER, "AGENT_TYPE_WORKSTATION": Role.WORKSTATION}
_SYSTEMS = {"AGENT_OS_WINDOWS": OS.WINDOWS, "AGENT_OS_MAC": OS.MACOS, "AGENT_OS_MACOS": OS.MACOS, "AGENT_OS_LINUX": OS.LINUX}
#: Its registration stays listed for up to 90 days, without an agent that could act.
_GONE = "UNINSTALLED"


def row(api: CortexAPI, agent_id: str) -> dict[str, Any]:
    """The endpoint of exactly this id. Raises EndpointNotFound, also where the agent was uninstalled."""
    reply = api.read(_GET_ENDPOINT, {"filters": only(agent_id), "search_from": 0, "search_to": 1})
    found = [each for each in _rows(reply) if each.get("endpoint_id") == agent_id]
    if not found:
        raise EndpointNotFound(f"Cortex knows no endpoint {agent_id}")
    if found[0].get("endpoint_status") == _GONE:
        raise EndpointNotFound(f"the agent of {agent_id} is uninstalled")
    return found[0]


def look(api: CortexAPI) -> None:
    """Read a page of one, to see that the key may."""
    _rows(api.read(_GET_ENDPOINT, {"filters": [], "search_from": 0, "search_to": 1}))


def connected(api: CortexAPI, agent_id: str) -> None:
    """Raise EndpointOffline unless the agent is there: a script that waits would run at a time that nobody chose."""
    status = row(api, agent_id).get("endpoint_status")
    if status != "CONNECTED":
        raise EndpointOffline(f"Cortex shows the endpoint {status}")


def members(api: CortexAPI, group: str) -> Iterator[Endpoint]:
    """Every endpoint in the group of exactly this name; how Cortex compares names in its filter is not documented."""
    filters = [{"field": "group_name", "operator": "in", "value": [group]}]
    yielded: set[str] = set()
    for each in _pages(api, filters):
        found = endpoint(each)
        if group in (found.groups or ()) and each.get("endpoint_status") != _GONE and found.agent_id not in yielded:
            yielded.add(found.agent_id)
            yield found
    if not yielded:
        raise Denied(f"no endpoint is in a group named {group!r}: Cortex has no such group, or it is empty")


def _pages(api: CortexAPI, filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Page until a page is not full; the total may be null, or capped, and so only shows that a listing broke off."""
    start = 0
    while True:
        data = {"filters": filters, "search_from": start, "search_to": start + _PAGE, "sort": {"field": "endpoint_id", "keyword": "asc"}}
        reply = api.read(_GET_ENDPOINT, data)
        found = _rows(reply)
        yield from found
        start += len(found)
        if len(found) < _PAGE:
            break
    total = count(reply.get("total_count"))
    if total is not None and start < total:
        raise VendorFault(f"get_endpoint: the list ended at {start} of {total}")


def _rows(reply: Any) -> list[dict[str, Any]]:
    """The rows of `get_endpoint`. Its sister `get_endpoints` answers a bare list of another shape, which is none."""
    if not isinstance(reply, dict) or not isinstance(reply.get("endpoints"), list | None):
        raise VendorFault("get_endpoint: the reply has no list of endpoints")
    return objects(reply.get("endpoints"))


def endpoint(row: dict[str, Any]) -> Endpoint:
    """A row in our words. Its groups are a list, one name, or null."""
    names = row.get("group_name") or []
    return Endpoint(
        edr=Vendor.CORTEX_XDR,
        agent_id=str(row["endpoint_id"]),
        hostname=str(row.get("endpoint_name") or row["endpoint_id"]),
        os=_SYSTEMS.get(str(row.get("os_type")), OS.UNKNOWN),
        groups=frozenset(map(str, names if isinstance(names, list) else [names])),
        tags=frozenset(_tags(row.get("tags"))),
        role=_ROLES.get(str(row.get("endpoint_type"))),
    )


def _tags(tags: Any) -> Iterator[str]:
    """Those that an administrator gave in the console, and those that the agent was installed with."""
    for names in tags.values() if isinstance(tags, dict) else ():
        yield from map(str, names if isinstance(names, list) else [])
