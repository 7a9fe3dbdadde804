"""Red Canary's portal API v3: a Detection, with whatever indicators and endpoints the file carries, as a published threat.

A record is a Detection as `GET /detections` gives it. Beside its own keys it may carry what other routes give:
`marked_indicators_of_compromise` (a list of items) and `endpoints` (a list of Endpoint objects with their sensor).
Without an endpoint's sensor id nothing can be acted on: the detection itself names only Red Canary's number and a
hostname, and nothing is ever selected by name. The TREs are told of the threat all the same.

A detection that is marked as remediated, or as not to be remediated for some reason, is over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..domain.endpoints import OS, Endpoint, Vendor
from ..domain.errors import InvalidEvent
from ..domain.events import parse_event
from ..domain.threats import UNREADABLE_URL, Severity
from ..domain.unread import ENDPOINT, Unread, not_read, read_ioc, sorted_out
from .alerts import Ending, alert_id, endpoint
from .reading import Fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.events import Event
    from ..domain.indicators import IOC

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
_SEVERITIES = {str(each): each for each in Severity if each is not Severity.UNKNOWN}
#: What ends a detection: the `remediation_state` of its `last_remediated_status`. As it is read, the second has a `reason` of its own
#: (`false_positive`, `sanctioned_activity`, `authorized_testing`, `unwarranted`); as it is written, that is the end of the word.
REMEDIATED, NOT_REMEDIATED = "remediated", "not_remediated"
_REVISION, _LONGEST_REVISION = 12, 36
_PORTAL = re.compile(r"^https://([A-Za-z0-9-]+)\.my\.redcanary\.co/")
_HEADLINE = re.compile(r"^\s*\[[^\]]*?-([0-9]+)\]\s*(.*)$", re.DOTALL)
_NUMBER = re.compile(r"^[0-9]{1,20}$")


def read(record: object, *, customer: str | None) -> Event:
    """The detection as ThreatPublished, or as ThreatClosed if it is over. Raises InvalidEvent.

    `customer` defaults to the portal's subdomain. With one named, the address of the portal is only a link, and costs no more than that.
    """
    detection = Fields.of(record)
    if (kind := detection.raw("type")) != "Detection":
        shown = repr(kind[:40]) if isinstance(kind, str) else f"a {type(kind).__name__}"
        raise InvalidEvent("type", f"is {shown}, and a Detection is wanted")
    own, attributes = alert_id(detection, "id"), detection.part("attributes")
    subdomain = _subdomain(detection)
    if not (customer or subdomain):
        raise InvalidEvent("links.self", "is not an address of the portal, https://NAME.my.redcanary.co/...")
    number, title = _headline(attributes, own.text)
    grade = attributes.means("severity", _SEVERITIES)
    threat = {
        "id": f"THREAT-{number}",
        "severity": grade.severity,
        "classification": _classification(attributes),
        "title": title,
        "url": f"https://{subdomain}.my.redcanary.co/detections/{own.text}" if subdomain and not own.doubt else UNREADABLE_URL,
        "summary": attributes.text("summary", ""),
    }
    common = {"id": f"redcanary-{own.text}", "customer": customer or subdomain, "threat": threat}
    ending = _ending(attributes)
    if not ending.words:
        doubts = "; ".join(filter(None, (grade.doubt, own.doubt)))
        return _published(detection, attributes, common | {"told_only": f"{doubts}: told, not acted on" if doubts else ""})
    reason = ending.told_by("Red Canary")
    at = ending.at or attributes.moment("confirmed_at")
    closing = {"type": "threat_closed", "occurred_at": at, "reason": reason, "is_false_positive": ending.is_false_positive}
    event = parse_event({**common, **closing})
    return event.model_copy(update={"id": f"{event.id}-{event.checksum[:_REVISION]}"})


def _published(detection: Fields, attributes: Fields, common: dict[str, Any]) -> Event:
    endpoints, unread = sorted_out(_endpoints(detection))
    # Of several endpoints, the detection does not say on which one an indicator is: neither do those that could not be read.
    agent_id = endpoints[0].agent_id if len(endpoints) == 1 and not unread else None
    iocs, unread_iocs = sorted_out(_indicators(detection, agent_id))
    confirmed, confirmed_at = attributes.text("confirmed_at"), attributes.moment("confirmed_at")
    # A detection that was published again, or of which more was seen, is another event of the same threat.
    revision = "-".join(re.sub(r"[^0-9]", "", at) for at in (confirmed, attributes.text("last_activity_seen_at", "")) if at)
    notes = [common["threat"]["summary"]]
    if not endpoints:
        host = detection.text("hostname", "no hostname")
        notes.append(f"No sensor id of the affected endpoint is known ({host}): nothing can be isolated.")
    return parse_event(
        {
            **common,
            "type": "threat_published",
            "id": f"{common['id']}-{revision[:_LONGEST_REVISION]}",
            "occurred_at": confirmed_at,
            "threat": {**common["threat"], "summary": "\n".join(note for note in notes if note)},
            "endpoints": endpoints,
            "iocs": iocs,
            "unread": [*unread, *unread_iocs],
        }
    )


def _subdomain(detection: Fields) -> str:
    links = detection.raw("links")
    own = links.get("self") if isinstance(links, dict) else None
    address = own.get("href") if isinstance(own, dict) else own
    found = _PORTAL.match(address) if isinstance(address, str) else None
    return found.group(1).lower() if found else ""


def _ending(attributes: Fields) -> Ending:
    """Without a reason, `not_remediated` is what a detection is that nobody has marked."""
    found = attributes.raw("last_remediated_status")
    mark = Fields(found if isinstance(found, dict) else {})
    state, reason = (mark.shown(name, default="").lower().replace(" ", "_").replace("-", "_") for name in ("remediation_state", "reason"))
    is_over = state == REMEDIATED or state.startswith(f"{NOT_REMEDIATED}_") or (state == NOT_REMEDIATED and reason)
    words = ": ".join(filter(None, (state, reason))) if is_over else ""
    return Ending(words.replace("_", " "), _person(mark.raw("marked_by")), mark.latest("marked_at"))


def _person(found: object) -> str:
    attributes = found.get("attributes") if isinstance(found, dict) else None
    return Fields(attributes if isinstance(attributes, dict) else {}).shown("name", "email", default="")


def _headline(attributes: Fields, own_id: str) -> tuple[str, str]:
    """`[DEMO-447] Malicious Software (Trojan)`: the threat's number and its title. The numeric id is another number."""
    found = _HEADLINE.match(attributes.text("headline", ""))
    if found:
        return found.group(1), found.group(2)
    if not _NUMBER.match(own_id):
        raise InvalidEvent("id", "is not a number, and the headline names none")
    return own_id, ""


def _classification(attributes: Fields) -> str:
    value = attributes.raw("classification")
    found = Fields(value if isinstance(value, dict) else {})
    root = found.shown("superclassification", default="not classified")
    leaves = found.raw("subclassification") or []
    named = ", ".join(str(leaf) for leaf in leaves) if isinstance(leaves, list) else str(leaves)
    return f"{root} ({named})" if named else root


def _endpoints(detection: Fields) -> Iterator[Endpoint | Unread]:
    for place, each in enumerate(_listed(detection, "endpoints")):
        attributes = each.get("attributes") if isinstance(each, dict) else None
        hostname = attributes.get("hostname") if isinstance(attributes, dict) else None
        try:
            yield _endpoint(Fields.of(each, f"endpoints.{place}"))
        except InvalidEvent as problem:
            yield not_read(ENDPOINT, hostname or each, str(problem))


def _endpoint(each: Fields) -> Endpoint | Unread:
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
    return found


def _indicators(detection: Fields, agent_id: str | None) -> Iterator[IOC | Unread]:
    """Marked indicators are what the analysts confirmed and released for action. One that cannot be read costs only itself."""
    for each in _listed(detection, "marked_indicators_of_compromise"):
        if not isinstance(each, dict):
            yield read_ioc(each)
            continue
        plain = _plain(each.get("attributes") or each)
        named = list(_named(plain))
        for indicator in named:
            yield read_ioc({"indicator": indicator, "confirmed_malicious": True, "safe_to_act": True, "agent_id": agent_id})
        if each.get("attributes") and not named:
            yield not_read("indicator", ", ".join(sorted(plain)), "it names nothing that an action is known for")


def _listed(detection: Fields, name: str) -> list[Any]:
    """What stands in a list; what should be one and is none stands for itself."""
    found = detection.raw(name)
    return [] if found is None else found if isinstance(found, list) else [found]


def _named(item: dict[str, Any]) -> Iterator[Any]:
    """An item as indicators: a file gives a hash to ban and a path to act on."""
    file, domain, key = item.get("file"), item.get("domain"), item.get("key") or item.get("registry_key")
    address = _address(item)
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
    if address:
        yield {"type": "ip", "ip": address}


def _address(item: dict[str, Any]) -> Any:
    holders = [item, *(value for value in item.values() if isinstance(value, dict))]
    return next((holder["ip_address"] for holder in holders if holder.get("ip_address")), None)


def _plain(item: Any) -> dict[str, Any]:
    """Keys without the `primitives.` before and the `?` behind that some of them carry; nested `attributes` taken out."""
    if not isinstance(item, dict):
        return {}
    plain = {str(key).removeprefix("primitives.").rstrip("?"): value for key, value in item.items()}
    inner = plain.pop("primitives", None)
    nested = inner if isinstance(inner, dict) else {}
    flat = {**nested, **plain}
    return {key: value.get("attributes", value) if isinstance(value, dict) else value for key, value in flat.items()}
