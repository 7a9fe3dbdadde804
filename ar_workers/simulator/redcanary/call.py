"""One admitted call on its way through a handler, the portal's envelope and its refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import calls
from ..server import Reply, json_reply
from .options import Options

ROOT = "/openapi/v3"
Row = dict[str, Any]
_NO_PORTAL = (
    b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>The page you were looking for does not exist</h1></body></html>"
)


class Refusal(Exception):
    """The call is answered `{error: {message}}`."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}

    def reply(self) -> Reply:
        return json_reply(self.status, {"error": {"message": self.message}}, self.headers)


def no_portal() -> Reply:
    """What a name that is no portal's, or a path outside the API, answers: a page for people."""
    return Reply(404, _NO_PORTAL, {"Content-Type": "text/html"})


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    def page(self, rows: Sequence[Any]) -> Row:
        """`page` counts from 1; a total that may be wrong, and a last page that may come again."""
        number, size = self._number("page", 1), self._number("per_page", 50)
        shown = list(rows[(number - 1) * size : number * size])
        if not shown and rows and self.options.behind_the_last == "repeats":
            shown = list(rows[(len(rows) - 1) // size * size :])
        total = len(rows) if self.options.total_items == "right" else len(rows) + 7
        links = {"self": {"href": f"{ROOT}{self.request.path.removeprefix(ROOT)}?page={number}"}}
        return {"meta": {"api_version": "v3.0", "total_items": total}, "links": links, "data": shown}

    def said(self, name: str) -> str:
        """A parameter of the query, or the same as a field of the body."""
        return self.request.first(name) or str(self._document().get(name) or "")

    def ids(self) -> list[str]:
        """Each way in which a list of ids is written."""
        written = [*self.request.query.get("ids", []), *self.request.query.get("ids[]", [])]
        listed = self._document().get("ids") or []
        return [one for text in written for one in text.split(",") if one] or [str(one) for one in listed]

    def _document(self) -> Row:
        """The body, which may be empty."""
        wrong = Refusal(400, "The body is no JSON object")
        document = self.request.json(other_type=wrong, broken=wrong) if self.request.body else {}
        if not isinstance(document, dict):
            raise wrong
        return document

    def _number(self, name: str, default: int) -> int:
        return self.request.number(name, default, Refusal(400, f"{name} is invalid"), least=1)
