"""What a settled threat is packed into: a short text that holds its rows and its timeline."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

#: What packed documents have in common need not be kept in each. Another text gets another number; none is ever changed.
_COMMON: dict[str, bytes] = {
    "1": (
        b'deferred: failed: OutcomeUnknown: -> unknown"},-> held: -> performed"},pending -> skipped: requeued by \\\\Windows\\\\Users\\\\'
        b'"edr":"carbon_black_cloud","edr":"carbon_black_edr","edr":"cortex_xdr","edr":"defender","edr":"sentinelone","verb":"release"'
        b'"state":"skipped","reason":"","state":"failed","state":"already","evidence":"","generation":2,"performed_at":"2026-'
        b'"verb":"email","verb":"quarantine_file","verb":"webhook","subject":"remediation_summary to '
        b'{"threat":"{\\"id\\":\\"THREAT-\\",\\"severity\\":\\"high\\",\\"classification\\":\\"Malware\\",\\"title\\":\\"Threat\\",'
        b'\\"url\\":\\"https://\\",\\"summary\\":\\"\\"}","rows":[{"id":"'
        b'"kind":"delivery","verb":"slack","subject":"threat_published to tre","label":"tell slack \\u00b7 threat_published \\u00b7 '
        b'"kind":"delivery","verb":"pagerduty","subject":"threat_published to tre","label":"tell pagerduty \\u00b7 threat_published '
        b'"queue":"notify","state":"done","reference":"'
        b'"kind":"action","verb":"delete_registry_key","verb":"delete_file","verb":"kill_process","verb":"ban_domain","verb":"ban_hash",'
        b'"queue":"isolation","kind":"action","verb":"isolate","edr":"crowdstrike","subject":"","label":"'
        b'","queue":"ioc","state":"done","reference":"","lane":"crowdstrike/","attempts":1,"created_at":"2026-'
        b'000Z","begun_at":"2026-000Z","settled_at":"2026-000Z","next_attempt_at":"2026-000Z","deadline":"2026-000Z"},{"id":"'
        b',"timeline":[{"at":"2026-","row":"event/","text":"accepted"},{"at":"2026-","row":"event/","text":"planned"},{"at":"2026-'
        b'","text":"waiting"},{"at":"2026-","text":"waiting -> pending"},{"at":"2026-","text":"performed -> done"},{"at":"2026-'
        b'000Z","row":"","text":"new -> pending"},{"at":"2026-000Z","row":"","text":"pending -> done"},{"at":"2026-'
    )
}
_NEWEST = "1"


def packed(document: dict[str, Any]) -> str:
    """Text, because the client decodes what it reads."""
    deflate = zlib.compressobj(9, zdict=_COMMON[_NEWEST])
    data = deflate.compress(json.dumps(document, separators=(",", ":")).encode()) + deflate.flush()
    return _NEWEST + base64.b85encode(data).decode()


def unpacked(text: str) -> dict[str, Any]:
    """What `packed` made a text of."""
    data = zlib.decompressobj(zdict=_COMMON[text[0]]).decompress(base64.b85decode(text[1:]))
    found: dict[str, Any] = json.loads(data)
    return found
