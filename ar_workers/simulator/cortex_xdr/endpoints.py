"""Endpoints: filters in lower case, answers in upper case, and two lists of different shapes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..clock import iso
from ..endpoints import Endpoint
from ..options import is_named
from .call import Call, Fields, Row, Test, sort_rows
from .envelope import Refusal
from .options import Options

Operators = dict[str, Callable[[Any], Test]]

SYSTEMS = {"Windows": "AGENT_OS_WINDOWS", "Mac": "AGENT_OS_MAC", "Linux": "AGENT_OS_LINUX"}
PLATFORMS = {"AGENT_OS_WINDOWS": "windows", "AGENT_OS_MAC": "macos", "AGENT_OS_LINUX": "linux"}
ISOLATIONS = {
    "normal": "AGENT_UNISOLATED",
    "containment_pending": "AGENT_PENDING_ISOLATION",
    "contained": "AGENT_ISOLATED",
    "lift_containment_pending": "AGENT_PENDING_ISOLATION_CANCELLATION",
}
_ISOLATE_VALUES = {"AGENT_ISOLATED": "isolated", "AGENT_UNISOLATED": "unisolated"}


def shown(endpoint: Endpoint, call: Call) -> Row:
    names = [call.tenant.groups[each].name for each in endpoint.groups if each in call.tenant.groups]
    return {
        "endpoint_id": endpoint.agent_id,
        "endpoint_name": endpoint.hostname,
        "endpoint_type": f"AGENT_TYPE_{endpoint.product_type_desc.upper()}",
        "endpoint_status": _status(endpoint),
        "os_type": endpoint.facts.get("os_type", SYSTEMS[endpoint.platform]),
        "os_version": endpoint.os_version,
        "ip": [endpoint.local_ip],
        "users": [],
        "domain": "",
        "alias": "",
        "first_seen": milliseconds(endpoint.first_seen),
        "last_seen": milliseconds(endpoint.last_seen or iso(call.now)),
        "group_name": names or None,
        "is_isolated": ISOLATIONS[endpoint.status],
        "isolated_date": None,
        "operational_status": "PROTECTED",
        "endpoint_version": "8.2.0.47908",
        "content_version": "1160-72121",
        "scan_status": "SCAN_STATUS_NONE",
        "tags": {"server_tags": list(endpoint.tags), "endpoint_tags": []},
    }


def _status(endpoint: Endpoint) -> str:
    if endpoint.decommissioned:
        return "UNINSTALLED"
    return "CONNECTED" if endpoint.online else str(endpoint.facts.get("away_as", "DISCONNECTED"))


def milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def within(key: str, known: frozenset[str] | None = None, say: Callable[[Any], Any] = lambda value: value) -> Operators:
    """`in`, on what a row's value is called in filters. Values of an enumeration must be its own, lower case; ids may be numbers."""

    def test(wanted: Any) -> Test:
        if not isinstance(wanted, list) or not wanted:
            raise Refusal(400, "the value of in must be a non-empty list")
        if known is not None and not set(wanted) <= known:
            raise Refusal(400, f"unknown value, expected one of {', '.join(sorted(known))}")
        texts = {str(each) for each in wanted}
        return lambda row: str(say(row.get(key))) in texts

    return {"in": test}


def _any_of(key: str) -> Operators:
    return {"in": lambda wanted: lambda row: bool(set(row[key]) & set(wanted))}


def span(key: str) -> Operators:
    return {"gte": lambda value: lambda row: row[key] >= value, "lte": lambda value: lambda row: row[key] <= value}


def _group(options: Options) -> Operators:
    def test(wanted: Any) -> Test:
        return lambda row: any(is_named(name, each, options.name_match) for name in row["group_name"] or [] for each in wanted)

    return {"in": test}


def _fields(options: Options) -> Fields:
    return {
        "endpoint_id_list": within("endpoint_id"),
        "hostname": within("endpoint_name"),
        "alias": within("alias"),
        "endpoint_status": within("endpoint_status", frozenset({"connected", "disconnected", "lost", "uninstalled"}), str.lower),
        "platform": within("os_type", frozenset({"windows", "linux", "macos", "android"}), PLATFORMS.get),
        "isolate": within("is_isolated", frozenset({"isolated", "unisolated"}), _ISOLATE_VALUES.get),
        "group_name": _group(options),
        "ip_list": _any_of("ip"),
        "username": _any_of("users"),
        "first_seen": span("first_seen"),
        "last_seen": span("last_seen"),
    }


def get_endpoint(call: Call) -> Row:
    """By filters, a page at a time; without any, every endpoint. An uninstalled one stays listed."""
    test = call.tests(_fields(call.options))
    rows = [row for row in (shown(one, call) for one in call.tenant.endpoints.values()) if test(row)]
    allowed = {name: name for name in ("endpoint_id", "first_seen", "last_seen")}
    return call.page(sort_rows(rows, call.data.get("sort"), allowed), "endpoints")


def get_endpoints(call: Call) -> list[Row]:
    """The other list: flat, without pages, with other names."""
    rows = [shown(one, call) for one in call.tenant.endpoints.values()]
    return [
        {
            "agent_id": row["endpoint_id"],
            "agent_status": row["endpoint_status"],
            "host_name": row["endpoint_name"],
            "agent_type": row["endpoint_type"],
            "ip": row["ip"],
        }
        for row in rows
    ]
