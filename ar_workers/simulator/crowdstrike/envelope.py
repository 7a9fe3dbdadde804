"""The vendor's envelope: meta, resources, errors, and the several ways of writing 'nothing'."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from ..server import Reply
from .options import Options

Row = dict[str, Any]
STYLES = ("list", "null", "missing")


def error(code: int, message: str, **more: Any) -> Row:
    return {"code": code, "message": message, **more}


class Refusal(Exception):
    """The call is answered with an error envelope instead of a result."""

    def __init__(self, status: int, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.answer = Answer(status=status, errors=[error(code or status, message)])


@dataclass
class Answer:
    """What a handler found out; the envelope around it is written elsewhere.

    `extra` adds top-level fields (`batch_id`, `combined`); `bare` drops the envelope (204, tokens).
    """

    resources: Any = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)
    status: int = 200
    pagination: Row | None = None
    affected: int | None = None
    extra: Row = field(default_factory=dict)
    without_resources: bool = False
    bare: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Envelopes:
    """Writes answers; with `empty_errors="mixed"` each of the vendor's variants comes in turn."""

    def __init__(self, options: Options) -> None:
        self._style = options.empty_errors
        self._turns = itertools.cycle(STYLES)

    def write(self, answer: Answer, *, started: float) -> Reply:
        trace = str(uuid.uuid4())
        headers = {"X-CS-TRACEID": trace, **answer.headers}
        if answer.status == 204:
            return Reply(204, b"", headers)
        document = answer.bare
        if document is None:
            document = self._document(answer, trace, time.perf_counter() - started)
        headers["Content-Type"] = "application/json"
        return Reply(answer.status, json.dumps(document).encode(), headers)

    def _document(self, answer: Answer, trace: str, took: float) -> Row:
        meta: Row = {"query_time": round(took, 9), "powered_by": "simulator", "trace_id": trace}
        if answer.pagination is not None:
            meta["pagination"] = answer.pagination
        if answer.affected is not None:
            meta["writes"] = {"resources_affected": answer.affected}
        document: Row = {"meta": meta, **answer.extra}
        if not answer.without_resources:
            document["resources"] = answer.resources
        document["errors"] = answer.errors
        return self._emptied(document)

    def _emptied(self, document: Row) -> Row:
        if document["errors"]:
            return document
        style = next(self._turns) if self._style == "mixed" else self._style
        if style == "null":
            document["errors"] = None
            if document.get("resources") == []:
                document["resources"] = None
        if style == "missing":
            del document["errors"]
        return document
