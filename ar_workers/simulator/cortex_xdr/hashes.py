"""Hash exceptions: a hash stands on the block list or on the allow list of a tenant, never on both."""

from __future__ import annotations

import re
from typing import Any

from .call import Call, Row
from .envelope import Refusal

MOST_HASHES = 100
_SHA256 = re.compile(r"^[0-9a-fA-F]{64}$")


def block(call: Call) -> Any:
    return _add(call, "block")


def allow(call: Call) -> Any:
    return _add(call, "allow")


def _add(call: Call, where: str) -> Any:
    """All of them listed already, on whichever list: an error. Some of them: those are left out."""
    hashes = _hashes(call)
    added = [each for each in hashes if each not in call.tenant.iocs]
    for each in hashes:
        call.effect("ban_hash" if where == "block" else "allow_hash", each, changed=each in added)
        call.tenant.iocs.setdefault(each, {"id": each, "list": where, "comment": call.data.get("comment", "")})
    is_detailed = call.data.get("detailed_response") and call.options.detailed_response
    if not added and not (is_detailed and call.options.nothing_added == "excluded"):
        raise Refusal(500, "All hashes have already been added to the allow or block list")
    if is_detailed:
        return {"added_hashes": added, "excluded_hashes": [each for each in hashes if each not in added]}
    return True


def unblock(call: Call) -> Any:
    return _remove(call, "block")


def disallow(call: Call) -> Any:
    return _remove(call, "allow")


def _remove(call: Call, where: str) -> Any:
    hashes = _hashes(call)
    found = [each for each in hashes if call.tenant.iocs.get(each, {}).get("list") == where]
    for each in hashes:
        call.effect("unban_hash" if where == "block" else "disallow_hash", each, changed=each in found)
        if each in found:
            del call.tenant.iocs[each]
    if not found:
        raise Refusal(500, f"None of the hashes is on the {where} list")
    return True


def listing(call: Call) -> Row:
    """Not documented; there only where the options name a path for it."""
    return {"hash_list": [each for each, row in call.tenant.iocs.items() if row["list"] == "block"]}


def _hashes(call: Call) -> list[str]:
    found = call.data.get("hash_list")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_HASHES:
        raise Refusal(400, "hash_list must hold 1 to 100 hashes")
    if not all(isinstance(each, str) and _SHA256.match(each) for each in found):
        raise Refusal(500, {"hash_list": "only SHA256 is supported"})
    return [each.lower() for each in found]
