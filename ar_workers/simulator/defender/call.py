"""One authorised call on its way through a handler, the vendor's way to refuse it, and its lists."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from .. import calls
from ..endpoints import Endpoint
from .odata import compile_filter
from .options import Options

Row = dict[str, Any]

LONGEST_PAGE = 10_000


class Refusal(Exception):
    """The call is answered `{error: {code, message, target}}`; target is the id to ask the vendor's support about."""

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.document = {"error": {"code": code, "message": message, "target": f"|{uuid.uuid4().hex}."}}


@dataclass(frozen=True)
class Answer:
    document: Any = None
    status: int = 200


def stamp(instant: float) -> str:
    """The vendor's instants have seven digits after the point, one more than most parsers take."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    def document(self, *required: str) -> Row:
        """The JSON object of the body. Names are compared with case; one that nobody knows is overlooked."""
        wrong = Refusal(400, "InvalidRequestBody", "Request body is incorrect")
        other_type = Refusal(415, "UnsupportedMediaType", "The content type must be application/json")
        document = self.request.json(other_type=other_type, broken=wrong, media="application/json")
        if not isinstance(document, dict):
            raise wrong
        for name in required:
            if not document.get(name):
                raise Refusal(400, "MissingRequiredParameter", f"{name} is required")
        return document

    def endpoint(self) -> Endpoint:
        """The machine that the path names."""
        found = self.tenant.endpoint(self.parts[0], self.now)
        if found is None:
            raise Refusal(404, "ResourceNotFound", f"Machine {self.parts[0]} was not found")
        return found

    def listed(self, rows: Iterable[Row], filterable: Iterable[str], shown: Callable[[Row], Row] = dict) -> Answer:
        """A page by `$filter`, `$top` and `$skip`; where more is left, `@odata.nextLink` says how to go on."""
        test = compile_filter(self.request.first("$filter"), filterable)
        if test is None:
            raise Refusal(400, "ODataError", f"The query is invalid: {self.request.first('$filter')}")
        found = [row for row in rows if test(row)]
        if not found and self.options.empty_list == "404":
            raise Refusal(404, "ResourceNotFound", "Nothing was found")
        skip = self.request.number("$skip", 0, Refusal(400, "ODataError", "$skip is invalid"))
        top = self.request.number("$top", LONGEST_PAGE, Refusal(400, "ODataError", "$top is invalid"), most=LONGEST_PAGE)
        size = min(top, self.options.page_size)
        document: Row = {
            "@odata.context": f"{self.request.host_url}/api/$metadata",
            "value": [shown(row) for row in found[skip : skip + size]],
        }
        if skip + size < len(found) and size < top:
            query = {name: values[0] for name, values in self.request.query.items()} | {"$skip": str(skip + size)}
            document["@odata.nextLink"] = f"{self.request.host_url}{self.request.path}?{urlencode(query)}"
        return Answer(document)
