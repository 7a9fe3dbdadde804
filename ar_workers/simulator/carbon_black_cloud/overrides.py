"""Reputation overrides: hashes that the whole organisation bans or approves."""

from __future__ import annotations

import re
import uuid

from ..clock import iso
from ..server import Reply, json_reply
from .call import Call, Refusal, Row, bad_enum, criteria_of, empty, listed, not_found, window

LISTS = ("BLACK_LIST", "WHITE_LIST")
TYPES = ("SHA256", "CERT", "IT_TOOL")
FIELDS = ("description", "override_list", "override_type", "sha256_hash", "filename")
_SHA256 = re.compile(r"^[0-9a-fA-F]{64}$")


def create(call: Call) -> Reply:
    document = call.document()
    for name, known in (("override_list", LISTS), ("override_type", TYPES)):
        if document.get(name) not in known:
            raise bad_enum(name, document.get(name), known)
    if document["override_type"] != "SHA256" or not _SHA256.match(str(document.get("sha256_hash"))):
        raise Refusal(400, "INVALID_PARAMETER", "sha256_hash must be 64 hexadecimal digits", field="sha256_hash")
    twins = [one for one in call.tenant.iocs.values() if _is_same(one, document)]
    if twins and call.options.second_override != "row":
        call.effect("ban_hash", document["sha256_hash"], changed=False, refused=call.options.second_override)
        raise Refusal(call.options.second_override, "DUPLICATE", "This reputation override exists")
    row: Row = {
        **{name: value for name, value in document.items() if name in FIELDS},
        "id": uuid.uuid4().hex,
        "created_by": "simulated",
        "create_time": iso(call.now),
        "source": "APP",
        "source_ref": None,
    }
    call.tenant.iocs[row["id"]] = row
    if row["override_list"] == "BLACK_LIST":
        call.effect("ban_hash", row["sha256_hash"], changed=not twins)
    return json_reply(200, row)


def _is_same(row: Row, document: Row) -> bool:
    same_hash = str(row.get("sha256_hash")).lower() == str(document.get("sha256_hash")).lower()
    return same_hash and row.get("override_list") == document.get("override_list")


def search(call: Call) -> Reply:
    """A criterion is a list, or one text, as the vendor's SDK writes it."""
    document = call.document()
    criteria = criteria_of(document, "override_list", "override_type")
    texts = {name: [value] if isinstance(value, str) else value for name, value in criteria.items()}
    lists, types = listed(texts, "override_list", LISTS), listed(texts, "override_type", TYPES)
    start, count = window(document, first=0)
    word = str(document.get("query") or "").casefold()
    rows = [
        one
        for one in call.tenant.iocs.values()
        if (not lists or one["override_list"] in lists)
        and (not types or one["override_type"] in types)
        and any(word in str(value).casefold() for value in one.values())
    ]
    return json_reply(200, {"results": rows[start : start + count], "num_found": len(rows)})


def read(call: Call) -> Reply:
    row = call.tenant.iocs.get(call.parts[0])
    if row is None:
        raise not_found("Reputation override")
    return json_reply(200, row)


def delete(call: Call) -> Reply:
    row = call.tenant.iocs.pop(call.parts[0], None)
    if row is None:
        raise not_found("Reputation override")
    _lifted(call, row)
    return empty()


def _lifted(call: Call, row: Row) -> None:
    if row["override_list"] == "BLACK_LIST":
        call.effect("unban_hash", row["sha256_hash"], changed=True)


def delete_many(call: Call) -> Reply:
    ids = call.body()
    if not isinstance(ids, list):
        raise Refusal(400, "MALFORMED_REQUEST", "a list of ids is required")
    gone = [row for one in ids if (row := call.tenant.iocs.pop(one, None)) is not None]
    for row in gone:
        _lifted(call, row)
    return json_reply(200, {"results": [row["id"] for row in gone]})
