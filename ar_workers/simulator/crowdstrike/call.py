"""One authorised call on its way through a handler, with all that the handler may need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..journal import Journal
from ..server import Request
from ..world import Tenant
from .envelope import Refusal
from .options import Options

if TYPE_CHECKING:
    from .sessions import Responder

VENDOR = "crowdstrike"
DEEPEST_OFFSET = 10_000


@dataclass(frozen=True)
class Call:
    request: Request
    tenant: Tenant
    client_id: str
    now: float
    options: Options
    journal: Journal
    responder: Responder

    def document(self) -> dict[str, Any]:
        """The JSON object of the body; anything else is refused as the vendor's gateway does."""
        if "json" not in self.request.content_type:
            raise Refusal(415, "Content-Type must be application/json")
        try:
            document = json.loads(self.request.body)
        except ValueError:
            raise Refusal(400, "Invalid JSON in request body") from None
        if not isinstance(document, dict):
            raise Refusal(400, "Request body must be an object")
        return document

    def texts(self, document: dict[str, Any], name: str, *, most: int) -> list[str]:
        """A required, non-empty list of strings within the vendor's size limit."""
        values = document.get(name)
        if not isinstance(values, list) or not values:
            raise Refusal(400, f"{name} is required")
        if len(values) > most:
            raise Refusal(400, f"too many {name}: at most {most}")
        if not all(isinstance(one, str) for one in values):
            raise Refusal(400, f"{name} must be strings")
        return values

    def ids(self, *, most: int) -> list[str]:
        """The repeated `ids` query parameter, which some clients also write with commas."""
        values = [part for one in self.request.query.get("ids", []) for part in one.split(",") if part]
        if not values:
            raise Refusal(400, "ids is required")
        if len(values) > most:
            raise Refusal(400, f"too many ids: at most {most}")
        return values

    def number(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        text = self.request.first(name, str(default))
        if not text.isdigit() or not least <= int(text) <= most:
            raise Refusal(400, f"{name} must be between {least} and {most}")
        return int(text)

    def window(self, *, limit: int, most: int) -> tuple[int, int]:
        """Offset and limit of a shallow list, which ends at ten thousand."""
        offset = self.number("offset", 0, most=1_000_000)
        limit = self.number("limit", limit, least=1, most=most)
        if offset + limit > max(DEEPEST_OFFSET, most):
            raise Refusal(400, f"offset + limit must not exceed {DEEPEST_OFFSET}")
        return offset, limit

    def effect(self, verb: str, target: str, *, changed: bool, **facts: Any) -> None:
        """Write down what was asked of the pretend world, and whether it changed."""
        self.journal.effect(
            verb,
            target,
            changed=changed,
            vendor=VENDOR,
            tenant=self.tenant.name,
            client_id=self.client_id,
            **facts,
        )
