"""Real shapes of records, spoiled by chance: `python -m tests.sources.mutations 10000` gives each reader so many, from a seed that it prints.

Whatever a vendor sends, a reader says what it means or which field is wrong, and never fails.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ar_workers.automations import plan_for
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import InvalidEvent
from ar_workers.domain.events import load_event
from ar_workers.ledger.shapes import acceptance, texts_of
from ar_workers.sources import FORMATS
from tests.builders import EVIL, a_context, a_threat_published, an_ioc, sha256
from tests.edr.rigs import SAMPLES
from tests.keys import SEALS

if TYPE_CHECKING:
    from collections.abc import Iterator

DETECTION = {
    "type": "Detection",
    "id": 9447,
    "attributes": {
        "headline": "[ACME-447] Malicious Software (Trojan)",
        "confirmed_at": "2026-11-04T01:47:43.956Z",
        "last_activity_seen_at": "2026-11-04T01:40:00.000Z",
        "summary": "It ran.",
        "severity": "high",
        "classification": {"superclassification": "Malicious Software", "subclassification": ["Trojan"]},
        "last_remediated_status": {
            "remediation_state": None,
            "reason": None,
            "marked_by": {"attributes": {"name": "Kim", "email": "kim@acme.example"}},
            "marked_at": "2026-11-04T02:00:00.000Z",
        },
    },
    "hostname": "victim",
    "links": {"self": {"href": "https://acme.my.redcanary.co/openapi/v3/detections/9447"}},
    "endpoints": [
        {
            "attributes": {
                "hostname": "victim",
                "platform": "Windows",
                "sensor": {"id": "a" * 32, "product": "crowdstrike", "attributes": {"group": ["Remediate"]}},
            }
        }
    ],
    "marked_indicators_of_compromise": [
        {"attributes": {"primitives.file": {"attributes": {"sha256": sha256("x"), "md5": "1" * 32, "path": EVIL}}}},
        {"attributes": {"domain": {"name": "evil.example"}, "registry_key": {"path": r"HKLM\Software\Evil"}, "signed?": False}},
        {"attributes": {"ip": {"ip_address": "192.0.2.1"}}},
    ],
}
MITIGATED = SAMPLES["sentinelone"].record | {
    "mitigationStatus": [{"action": "unquarantine", "status": "failed", "lastUpdate": "2026-11-24T12:02:00Z"}],
    "mitigationReport": {"unquarantine": {"status": None}},
}
FLAT = {"id": "4", "threatName": "x", "createdAt": "2026-11-24T12:00:00Z", "agentId": "1", "cloudVerdict": "black", "filePath": EVIL}
WORKFLOW = {"status": "OPEN", "closure_reason": "NO_REASON", "changed_by": "x", "change_timestamp": "2026-11-24T12:02:00Z"}
#: Format -> real shapes of its records.
SHAPES: dict[str, list[dict[str, Any]]] = {
    "event": [a_threat_published(iocs=(an_ioc(),)).model_dump(mode="json")],
    "redcanary": [DETECTION],
    "crowdstrike": [SAMPLES["crowdstrike"].record | {"tags": ["x"], "resolution": None}],
    "defender": [SAMPLES["defender"].record | {"determination": None, "resolvedTime": None}],
    "sentinelone": [MITIGATED, FLAT, SAMPLES["star"].record],
    "carbon_black_cloud": [SAMPLES["carbon_black_cloud"].record | {"workflow": WORKFLOW}],
    "carbon_black_edr": [SAMPLES["carbon_black_edr"].record | {"report_ignored": False, "assigned_to": "x", "resolved_time": None}],
    "cortex_xdr": [
        SAMPLES["cortex_xdr"].record | {"last_modified_ts": 1_795_521_600_500},
        SAMPLES["cortex_xdr"].record
        | {"events": None, **{name: [value, None] for name, value in SAMPLES["cortex_xdr"].record["events"][0].items()}},
    ],
}
#: The same as people close them.
OVER = {
    "redcanary": {"attributes": DETECTION["attributes"] | {"last_remediated_status": {"remediation_state": "remediated"}}},
    "crowdstrike": {"status": "closed"},
    "defender": {"status": "Resolved", "resolvedTime": "2026-11-24T12:02:00Z"},
    "sentinelone": {"mitigationStatus": [{"action": "unquarantine", "status": "success", "lastUpdate": "2026-11-24T12:02:00Z"}]},
    "carbon_black_cloud": {"workflow": WORKFLOW | {"status": "CLOSED"}},
    "carbon_black_edr": {"status": "Resolved", "resolved_time": "2026-11-24T12:02:00Z"},
    "cortex_xdr": {"resolution_status": "STATUS_060_RESOLVED_FALSE_POSITIVE"},
}
for _kind, _changes in OVER.items():
    SHAPES[_kind].append(SHAPES[_kind][0] | _changes)
#: What may be named though it stands in no record: the record itself.
WHOLE = {"record", "event"}
ODD = [
    *(None, True, False, 0, -1, 1.5, 10**400, -(10**400), 1e308, "", " ", "null", "0", "-1", "1e999", "9" * 5000, "x" * 100_000),
    *([], {}, [[]], [None], [{}], {"": None}, {"a": {"b": []}}, ["x"] * 3000, [{"id": 1}] * 3000, "\ud800", "a\x00b", "\u202e", "//", "\\"),
    *(
        "http://[",
        "HKLM\\x",
        "10.0.0.1",
        "a" * 64,
        "0" * 64,
        "closed",
        "resolved",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ),
]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything inside."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


def spoiled(record: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The record with up to four places missing, odd, repeated, moved or nested once more."""
    copy = deepcopy(record)
    for _ in range(chance.randint(1, 4)):
        paths = list(places(copy))
        if not paths:
            break
        *before, last = chance.choice(paths)
        holder: Any = copy
        for part in before:
            holder = holder[part]
        _spoil(holder, last, chance, copy)
        if len(paths) > 5000:
            break
    return copy


def _spoil(holder: Any, last: Any, chance: random.Random, whole: dict[str, Any]) -> None:
    match chance.randrange(6):
        case 0:
            del holder[last]
        case 1:
            holder[last] = [holder[last]] * chance.choice((1, 2, 50))
        case 2:
            holder[last] = {"value": holder[last]}
        case 3:
            holder[last] = deepcopy(whole[chance.choice(list(whole))]) if whole else None
        case 4:
            holder[last] = str(holder[last])
        case _:
            holder[last] = deepcopy(chance.choice(ODD))


def judged(kind: str, record: dict[str, Any]) -> str:
    """What the reader makes of a record: the type of its event, or the field that it refuses. Raises whatever is a fault."""
    try:
        event = FORMATS[kind](record, customer="acme")
    except InvalidEvent as refusal:
        names = {str(part) for shape in SHAPES[kind] for path in places(shape) for part in path} | WHOLE
        place = [part for part in refusal.field.split(".") if not part.isdigit()]
        assert place, "a refusal names no field"
        assert place[-1] in names, f"refused is {refusal.field}, which is no field of such a record"
        return refusal.field
    assert load_event(event.model_dump_json()) == event
    assert all(isinstance(each, str | int) for text, seal in texts_of([event], SEALS) for each in acceptance(event, text, seal, 0))
    remediated = {
        endpoint.agent_id: endpoint.model_copy(update={"groups": frozenset({"Remediate"}), "os": OS.WINDOWS})
        for endpoint in getattr(event, "endpoints", ())
    }
    plan = plan_for(event, a_context(endpoints=remediated))
    assert event.type != "threat_closed" or not plan.actions
    return event.type


def tried(kind: str, number: int, seed: str) -> Counter[str]:
    """How often which outcome came. Raises AssertionError with the seed of the record that came to a fault."""
    outcomes: Counter[str] = Counter()
    for nth in range(number):
        chance = random.Random(f"{seed}/{kind}/{nth}")
        record = spoiled(SHAPES[kind][nth % len(SHAPES[kind])], chance)
        try:
            outcomes[judged(kind, record)] += 1
        except Exception as fault:
            raise AssertionError(f"{kind}: record {nth} of seed {seed}: {type(fault).__name__}: {str(fault)[:500]}") from fault
    return outcomes


def main() -> None:
    """Each reader gets as many as the argument says, and a seed of its own choice or the second argument's."""
    number, seed = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else str(time.time_ns())
    print(f"seed {seed}")  # noqa: T201 - it is a command
    for kind in FORMATS:
        outcomes = tried(kind, number, seed)
        print(f"{kind}: {outcomes.total()} read, none failed: {', '.join(f'{name} {count}' for name, count in outcomes.most_common(6))}")  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
