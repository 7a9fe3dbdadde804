"""Red Canary's portal API v3: a Detection, with whatever indicators and endpoints the file carries, as a published threat.

A record is a Detection as `GET /detections` gives it. Beside its own keys it may carry what other routes give:
`marked_indicators_of_compromise` (a list of items) and `endpoints` (a list of Endpoint objects with their sensor).
Without an endpoint's sensor id nothing can be acted on: the detection itself names only Red Canary's number and a
hostname, and nothing is ever selected by name. The TREs are told of the threat all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.errors import InvalidEvent
from ..domain.events import parse_event
from ..domain.indicators import IOC
from ..domain.text import cleaned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.events import Event

_PLATFORMS = {"windows": OS.WINDOWS, "os x": OS.MACOS, "macos": OS.MACOS, "linux": OS.LINUX}
#: Red Canary's product codes of sensors -> ours.
_PRODUCTS = {
    "crowdstrike": Vendor.CROWDSTRIKE,
    "falcon": Vendor.CROWDSTRIKE,
    "defender": Vendor.DEFENDER,
    "mde": Vendor.DEFENDER,
    "sentinelone": Vendor.SENTINELONE,
    "carbon_black_cloud": Vendor.CARBON_BLACK_CLOUD,
    "cbc": Vendor.CARBON_BLACK_CLOUD,
    "carbon_black_response": Vendor.CARBON_BLACK_EDR,
    "cbr": Vendor.CARBON_BLACK_EDR,
    "cortex_xdr": Vendor.CORTEX_XDR,
}
_PORTAL = re.compile(r"^https://([A-Za-z0-9-]+)\.my\.redcanary\.co/")
_HEADLINE = re.compile(r"^\s*\[[^\]]*?-(\d+)\]\s*(.*)$")


def read(record: object, *, customer: str | None) -> Event:
    """The detection as ThreatPublished. `customer` defaults to the portal's subdomain. Raises InvalidEvent."""
    detection = _object(record, "record")
    if detection.get("type") != "Detection":
        raise InvalidEvent("type", f"is {str(detection.get('type'))[:40]!r}, and a Detection is wanted")
    attributes = _object(detection.get("attributes"), "attributes")
    subdomain = _subdomain(detection)
    endpoints = list(_endpoints(detection))
    iocs, dropped = _indicators(detection, endpoints)
    number, title = _headline(attributes, detection)
    confirmed = _text(attributes, "confirmed_at")
    # A detection that was published again, or of which more was seen, is another event of the same threat.
    revision = "-".join(re.sub(r"[^0-9]", "", at) for at in (confirmed, _text(attributes, "last_activity_seen_at", default="")) if at)
    notes = [_text(attributes, "summary", default=""), *dropped]
    if not endpoints:
        host = _text(detection, "hostname", default="no hostname")
        notes.append(f"No sensor id of the affected endpoint is known ({host}): nothing can be isolated.")
    return parse_event(
        {
            "type": "threat_published",
            "id": f"redcanary-{detection.get('id')}-{revision}",
            "customer": customer or subdomain,
            "occurred_at": confirmed,
            "threat": {
                "id": f"THREAT-{number}",
                "severity": _text(attributes, "severity").lower(),
                "classification": _classification(attributes),
                "title": title,
                "url": f"https://{subdomain}.my.redcanary.co/detections/{detection.get('id')}",
                "summary": "\n".join(note for note in notes if note)[:20_000],
            },
            "endpoints": endpoints,
            "iocs": iocs,
        }
    )


def _subdomain(detection: dict[str, Any]) -> str:
    links = detection.get("links")
    own = links.get("self") if isinstance(links, dict) else None
    address = own.get("href") if isinstance(own, dict) else own
    found = _PORTAL.match(address) if isinstance(address, str) else None
    if not found:
        raise InvalidEvent("links.self", "is not an address of the portal, https://NAME.my.redcanary.co/...")
    return found.group(1).lower()


def _headline(attributes: dict[str, Any], detection: dict[str, Any]) -> tuple[str, str]:
    """`[DEMO-447] Malicious Software (Trojan)`: the threat's number and its title. The numeric id is another number."""
    found = _HEADLINE.match(_text(attributes, "headline", default=""))
    if found:
        return found.group(1), found.group(2)[:500] or "Threat"
    if not isinstance(detection.get("id"), int):
        raise InvalidEvent("id", "is not a number, and the headline names none")
    return str(detection["id"]), "Threat"


def _classification(attributes: dict[str, Any]) -> str:
    found = _object(attributes.get("classification"), "attributes.classification")
    root = _text(found, "superclassification", where="attributes.classification.")
    leaves = found.get("subclassification") or []
    named = ", ".join(str(leaf) for leaf in leaves) if isinstance(leaves, list) else str(leaves)
    return cleaned(f"{root} ({named})" if named else root)[:500]


def _endpoints(detection: dict[str, Any]) -> Iterator[Endpoint]:
    for position, each in enumerate(_list(detection.get("endpoints"))):
        attributes = _object(each.get("attributes"), f"endpoints.{position}.attributes")
        sensor = _object(attributes.get("sensor"), f"endpoints.{position}.attributes.sensor")
        facts = _object(sensor.get("attributes") or {}, f"endpoints.{position}.attributes.sensor.attributes")
        product = str(sensor.get("product") or facts.get("product") or facts.get("sensor_product_cd") or "").lower().replace(" ", "_")
        if product not in _PRODUCTS:
            raise InvalidEvent(
                f"endpoints.{position}.attributes.sensor.product", f"is {product!r}, known are {', '.join(sorted(_PRODUCTS))}"
            )
        groups = facts.get("group")
        yield _valid_endpoint(
            position,
            edr=_PRODUCTS[product],
            agent_id=sensor.get("id"),
            hostname=attributes.get("hostname") or sensor.get("id"),
            os=_PLATFORMS.get(str(attributes.get("platform")).lower(), OS.UNKNOWN),
            groups=frozenset(map(str, groups)) if isinstance(groups, list) else None,
        )


def _valid_endpoint(position: int, **fields: Any) -> Endpoint:
    try:
        return Endpoint(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidEvent(f"endpoints.{position}.{first['loc'][0]}", first["msg"]) from None


def _indicators(detection: dict[str, Any], endpoints: list[Endpoint]) -> tuple[list[IOC], list[str]]:
    """Marked indicators are what the analysts confirmed and released for action. One that cannot be read costs only itself."""
    agent_id = endpoints[0].agent_id if len(endpoints) == 1 else None
    found: list[IOC] = []
    notes: list[str] = []
    for position, item in enumerate(_list(detection.get("marked_indicators_of_compromise"))):
        for wish in _wishes(_plain(item.get("attributes") or item)):
            try:
                found.append(IOC(indicator=wish, confirmed_malicious=True, safe_to_act=True, agent_id=agent_id))
            except ValidationError as error:
                notes.append(f"Indicator {position + 1} was not understood: {error.errors()[0]['msg']}")
        if "ip_address" in str(item):
            notes.append(f"Indicator {position + 1} is an IP address: no action exists for it.")
    return found, notes


def _wishes(item: dict[str, Any]) -> Iterator[Any]:
    """An item as indicators: a file gives a hash to ban and a path to act on."""
    file, domain, key = item.get("file"), item.get("domain"), item.get("key") or item.get("registry_key")
    if isinstance(file, dict):
        hashes = {kind: file[kind] for kind in ("sha256", "sha1", "md5") if file.get(kind)}
        if hashes:
            yield {"type": "hash", **hashes}
        if file.get("path"):
            yield {"type": "file", "path": file["path"], "sha256": file.get("sha256")}
    if isinstance(domain, dict) and domain.get("name"):
        yield {"type": "domain", "domain": domain["name"]}
    if isinstance(key, dict) and key.get("path"):
        yield {"type": "registry", "key": key["path"]}


def _plain(item: Any) -> dict[str, Any]:
    """Keys without the `primitives.` before and the `?` behind that some of them carry; nested `attributes` taken out."""
    if not isinstance(item, dict):
        return {}
    plain = {str(key).removeprefix("primitives.").rstrip("?"): value for key, value in item.items()}
    inner = plain.pop("primitives", None)
    nested = inner if isinstance(inner, dict) else {}
    flat = {**nested, **plain}
    return {key: value.get("attributes", value) if isinstance(value, dict) else value for key, value in flat.items()}


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidEvent(field, "is missing" if value is None else "is not an object")
    return value


def _list(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(holder: dict[str, Any], name: str, *, default: str | None = None, where: str = "attributes.") -> str:
    value = holder.get(name)
    if isinstance(value, str) and value.strip():
        return value
    if default is None:
        raise InvalidEvent(where + name, "is missing" if value is None else "is not a text")
    return default
