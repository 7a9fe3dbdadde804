"""Quarantine: a file is taken away by its path and content, and can be given back."""

from __future__ import annotations

from ..endpoints import Endpoint, StoredFile
from .call import Call, Row
from .envelope import Refusal
from .orders import OrderCall


def _key(agent_id: str, path: str, sha256: str) -> str:
    return f"{agent_id}|{path}|{sha256}"


def quarantine(call: OrderCall) -> Row:
    path, sha256 = call.text("file_path"), call.text("file_hash").lower()

    def work(now: Call, endpoint: Endpoint) -> tuple[str, str]:
        found = endpoint.file(path)
        is_meant = found is not None and found.sha256 == sha256
        now.effect("quarantine_file", path, changed=is_meant, agent_id=endpoint.agent_id)
        if found is None or not is_meant:
            return "FAILED", "File was not found or has another hash"
        endpoint.files.remove(found)
        key = _key(endpoint.agent_id, path, sha256)
        now.tenant.quarantined[key] = {"id": key, "endpoint_id": endpoint.agent_id, "file_path": path, "file_hash": sha256}
        return "COMPLETED_SUCCESSFULLY", ""

    return call.accepted(call.orders.add(call, call.chosen(), work, takes=call.options.order_takes))


def status(call: Call) -> list[Row]:
    files = call.data.get("files")
    if not isinstance(files, list) or not files:
        raise Refusal(400, "files is required")
    if not all(isinstance(one, dict) and set(one) == {"endpoint_id", "file_path", "file_hash"} for one in files):
        raise Refusal(400, "each file needs endpoint_id, file_path and file_hash")
    return [
        {**one, "status": _key(one["endpoint_id"], one["file_path"], one["file_hash"].lower()) in call.tenant.quarantined} for one in files
    ]


def restore(call: OrderCall) -> Row:
    endpoint, sha256 = call.endpoint(call.text("endpoint_id")), call.text("file_hash").lower()

    def work(now: Call, where: Endpoint) -> tuple[str, str]:
        rows = [row for row in now.tenant.quarantined.values() if (row["endpoint_id"], row["file_hash"]) == (where.agent_id, sha256)]
        for row in rows:
            where.files.append(StoredFile(row["file_path"], sha256))
            del now.tenant.quarantined[row["id"]]
            now.effect("unquarantine_file", row["file_path"], changed=True, agent_id=where.agent_id)
        return ("COMPLETED_SUCCESSFULLY", "") if rows else ("FAILED", "File is not in quarantine")

    return call.accepted(call.orders.add(call, [endpoint], work, takes=call.options.order_takes))
