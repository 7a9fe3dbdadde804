"""The tenant's library of scripts: uploaded as a form with a file, listed with the SHA-256 of their content."""

from __future__ import annotations

import hashlib
from email.message import Message
from email.parser import BytesParser
from typing import cast

from ..world import Tenant
from .call import Answer, Call, Refusal, Row, stamp

LARGEST = 20 * 2**20
FIELDS = frozenset({"file", "Description", "ParametersDescription", "HasParameters", "OverrideIfExists"})


def library_of(tenant: Tenant) -> dict[str, Row]:
    """The files by name."""
    return cast("dict[str, Row]", tenant.facts.setdefault("library", {}))


def listing(call: Call) -> Answer:
    return call.listed(library_of(call.tenant).values(), ())


def upload(call: Call) -> Answer:
    """200 with the entity. A file that is there is replaced only if the form says so."""
    if "multipart/form-data" not in call.request.content_type:
        raise Refusal(400, "BadRequest", "The content type must be multipart/form-data")
    head = f"Content-Type: {call.request.headers['content-type']}\r\n\r\n".encode()
    parts = {name: part for part in _parts(head + call.request.body) if (name := _name(part))}
    if "file" not in parts or set(parts) - FIELDS:
        raise Refusal(400, "BadRequest", "The form is not as expected")
    content, filename = parts["file"].get_payload(decode=True), parts["file"].get_filename()
    if not isinstance(content, bytes) or not filename or len(content) > LARGEST:
        raise Refusal(400, "BadRequest", "A file with a name, of at most 20 MB, is required")
    if filename in library_of(call.tenant) and _text(parts.get("OverrideIfExists")) != "true":
        raise Refusal(400, "BadRequest", f"{filename} exists already")
    row = {
        "fileName": filename,
        "sha256": hashlib.sha256(content).hexdigest(),
        "description": _text(parts.get("Description")),
        "creationTime": stamp(call.now),
        "lastUpdatedTime": stamp(call.now),
        "createdBy": call.user,
        "hasParameters": _text(parts.get("HasParameters")) == "true",
        "parametersDescription": _text(parts.get("ParametersDescription")),
    }
    library_of(call.tenant)[filename] = row
    call.effect("upload_script", filename, changed=True)
    return Answer(row)


def _parts(raw: bytes) -> list[Message]:
    payload = BytesParser().parsebytes(raw).get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _name(part: Message) -> str:
    return str(part.get_param("name", "", header="content-disposition"))


def _text(part: Message | None) -> str:
    raw = part.get_payload(decode=True) if part else b""
    return raw.decode() if isinstance(raw, bytes) else ""
