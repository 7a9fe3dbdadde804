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
from .alerts import endpoint
from .reading import Fields

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
    detection = Fields.of(record)
    if detection.raw("type") != "Detection":
        raise InvalidEvent("type", f"is {str(detection.raw('type'))[:40]!r}, and a Detection is wanted")
    attributes = detection.part("attributes")
    subdomain = _subdomain(detection)
    endpoints = list(_endpoints(detection))
    iocs, dropped = _indicators(detection, endpoints)
    number, title = _headline(attributes, detection)
    confirmed = attributes.text("confirmed_at")
    # A detection that was published again, or of which more was seen, is another event of the same threat.
    revision = "-".join(re.sub(r"[^0-9]", "", at) for at in (confirmed, attributes.text("last_activity_seen_at", "")) if at)
    notes = [attributes.text("summary", ""), *dropped]
    if not endpoints:
        host = detection.text("hostname", "no hostname")
        notes.append(f"No sensor id of the affected endpoint is known ({host}): nothing can be isolated.")
    return parse_event(
        {
            "type": "threat_published",
            "id": f"redcanary-{detection.raw('id')}-{revision}",
            "customer": customer or subdomain,
            "occurred_at": confirmed,
            "threat": {
                "id": f"THREAT-{number}",
                "severity": attributes.text("severity").lower(),
                "classification": _classification(attributes),
                "title": title,
                "url": f"https://{subdomain}.my.redcanary.co/detections/{detection.raw('id')}",
                "summary": "\n".join(note for note in notes if note)[:20_000],
            },
            "endpoints": endpoints,
            "iocs": iocs,
        }
    )


def _subdomain(detection: Fields) -> str:
    links = detection.raw("links")
    own = links.get("self") if isinstance(links, dict) else None
    address = own.get("href") if isinstance(own, dict) else own
    found = _PORTAL.match(address) if isinstance(address, str) else None
    if not found:
        raise InvalidEvent("links.self", "is not an address of the portal, https://NAME.my.redcanary.co/...")
    return found.group(1).lower()


def _headline(attributes: Fields, detection: Fields) -> tuple[str, str]:
    """`[DEMO-447] Malicious Software (Trojan)`: the threat's number and its title. The numeric id is another number."""
    found = _HEADLINE.match(attributes.text("headline", ""))
    if found:
        return found.group(1), found.group(2)[:500] or "Threat"
    if not isinstance(detection.raw("id"), int):
        raise InvalidEvent("id", "is not a number, and the headline names none")
    return str(detection.raw("id")), "Threat"


def _classification(attributes: Fields) -> str:
    found = attributes.part("classification")
    root = found.text("superclassification")
    leaves = found.raw("subclassification") or []
    named = ", ".join(str(leaf) for leaf in leaves) if isinstance(leaves, list) else str(leaves)
    return cleaned(f"{root} ({named})" if named else root)[:500]


def _endpoints(detection: Fields) -> Iterator[Endpoint]:
    for each in detection.parts("endpoints"):
        attributes = each.part("attributes")
        sensor = attributes.part("sensor")
        facts = sensor.part("attributes", optional=True)
        product = str(sensor.raw("product") or facts.raw("product") or facts.raw("sensor_product_cd") or "").lower().replace(" ", "_")
        if product not in _PRODUCTS:
            raise sensor.refusal("product", f"is {product[:40]!r}, known are {', '.join(sorted(_PRODUCTS))}")
        groups = facts.raw("group")
        found = endpoint(
            _PRODUCTS[product],
            sensor,
            "id",
            hostname=attributes.raw("hostname"),
            os=_PLATFORMS.get(str(attributes.raw("platform")).lower(), OS.UNKNOWN),
            groups=frozenset(map(str, groups)) if isinstance(groups, list) else None,
        )
        if found is None:
            raise sensor.refusal("id", "is missing")
        yield found


def _indicators(detection: Fields, endpoints: list[Endpoint]) -> tuple[list[IOC], list[str]]:
    """Marked indicators are what the analysts confirmed and released for action. One that cannot be read costs only itself."""
    agent_id = endpoints[0].agent_id if len(endpoints) == 1 else None
    found: list[IOC] = []
    notes: list[str] = []
    for position, each in enumerate(detection.parts("marked_indicators_of_compromise"), start=1):
        for wish in _wishes(_plain(each.raw("attributes") or each.values)):
            try:
                found.append(IOC(indicator=wish, confirmed_malicious=True, safe_to_act=True, agent_id=agent_id))
            except ValidationError as error:
                notes.append(f"Indicator {position} was not understood: {error.errors()[0]['msg']}")
        if "ip_address" in str(each.values):
            notes.append(f"Indicator {position} is an IP address: no action exists for it.")
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
