"""The vendor's envelope: `request_data` in, `reply` out, and errors that are a 500 where others have a 4xx."""

from __future__ import annotations

from typing import Any

from ..server import Reply, Request, json_reply
from .options import Options

FAILED = "An error occurred while processing XDR public API"


class Refusal(Exception):
    """The call is answered with an error. A business error is 500, and says what is wrong in `err_extra`."""

    def __init__(self, status: int, extra: Any, *, message: str = FAILED, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(extra))
        self.status, self.headers = status, headers or {}
        self.document = {"reply": {"err_code": status, "err_msg": message, "err_extra": extra}}

    def written(self, options: Options) -> Reply:
        status = 200 if self.status == 500 and options.error_status == "200" else self.status
        return json_reply(status, self.document, self.headers)


def request_data(request: Request, *, may_be_empty: bool = False) -> dict[str, Any]:
    """The one object that a body holds. What a client writes beside it is overlooked."""
    if may_be_empty and not request.body:
        return {}
    document = request.json(other_type=Refusal(415, "Content-Type must be application/json"), broken=Refusal(400, "Invalid JSON"))
    if not isinstance(document, dict) or not isinstance(document.get("request_data"), dict):
        raise Refusal(400, "request_data is required")
    found: dict[str, Any] = document["request_data"]
    return found
