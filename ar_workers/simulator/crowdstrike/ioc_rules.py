"""What the vendor accepts as an indicator, row by row."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

Row = dict[str, Any]

TYPES = ("sha256", "md5", "domain", "ipv4", "ipv6")
ACTIONS = ("no_action", "allow", "prevent_no_ui", "prevent", "detect")
NETWORK_ACTIONS = ("no_action", "detect")
SEVERITIES = ("informational", "low", "medium", "high", "critical")
PLATFORMS = ("windows", "mac", "linux")
NEEDS_SEVERITY = frozenset({"detect", "prevent", "prevent_no_ui"})
WRITABLE = frozenset(
    {
        "action",
        "applied_globally",
        "description",
        "expiration",
        "host_groups",
        "metadata",
        "mobile_action",
        "platforms",
        "severity",
        "source",
        "tags",
    }
)
DOMAIN = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
HASHES = {"sha256": re.compile(r"[0-9a-fA-F]{64}"), "md5": re.compile(r"[0-9a-fA-F]{32}")}


def fault_in(row: Row) -> tuple[str, str] | None:
    """The first (field, message) that is wrong with a new or a changed indicator."""
    checks = (_type_and_value, _action, _severity, _platforms, _scope)
    return next((fault for check in checks if (fault := check(row))), None)


def _type_and_value(row: Row) -> tuple[str, str] | None:
    kind, value = row.get("type"), row.get("value")
    if kind not in TYPES:
        return "type", f"unsupported type {kind!r}"
    if not isinstance(value, str) or not value:
        return "value", "value is required"
    return None if well_formed(kind, value) else ("value", f"invalid {kind} value")


def well_formed(kind: str, value: str) -> bool:
    if kind in HASHES:
        return HASHES[kind].fullmatch(value) is not None
    if kind == "domain":
        return DOMAIN.fullmatch(value) is not None
    try:
        return ipaddress.ip_address(value).version == int(kind[-1])
    except ValueError:
        return False


def _action(row: Row) -> tuple[str, str] | None:
    action = row.get("action")
    if action not in ACTIONS:
        return "action", f"invalid action {action!r}"
    if row["type"] not in HASHES and action not in NETWORK_ACTIONS:
        return "action", f"action {action} is not supported for type {row['type']}"
    return None


def _severity(row: Row) -> tuple[str, str] | None:
    severity = row.get("severity")
    if severity in SEVERITIES or (not severity and row["action"] not in NEEDS_SEVERITY):
        return None
    return "severity", f"invalid severity {severity!r}"


def _platforms(row: Row) -> tuple[str, str] | None:
    platforms = row.get("platforms")
    if isinstance(platforms, list) and platforms and set(platforms) <= set(PLATFORMS):
        return None
    return "platforms", f"invalid platforms {platforms!r}"


def _scope(row: Row) -> tuple[str, str] | None:
    if row.get("applied_globally") is True or row.get("host_groups"):
        return None
    return "applied_globally", "applied_globally must be true or host_groups must not be empty"
