"""One admitted call on its way through a handler, with all that the handler may need."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..endpoints import Endpoint
from ..journal import Journal
from ..server import Reply, Request, json_reply
from ..world import Credential, Tenant
from .options import Options

if TYPE_CHECKING:
    from .sessions import Sessions

VENDOR = "carbon_black_edr"
Row = dict[str, Any]


class Refusal(Exception):
    """The call is answered with an error: plain text mostly."""

    def __init__(self, status: int, words: str, *, document: Row | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.document = status, words, document

    def reply(self, options: Options) -> Reply:
        if self.document or options.refusals == "json":
            return json_reply(self.status, self.document or {"status": self.words.upper().replace(" ", "_")})
        return Reply(self.status, self.words.encode(), {"Content-Type": "text/plain"})


@dataclass(frozen=True)
class Call:
    request: Request
    tenant: Tenant
    credential: Credential
    now: float
    options: Options
    journal: Journal
    sessions: Sessions
    #: The parts of the path that the route leaves open.
    parts: tuple[str, ...]

    def document(self, *, required: Collection[str] = (), allowed: Collection[str] | None = None) -> Row:
        """The JSON object of the body, with its required fields, and none but the allowed ones."""
        if "json" not in self.request.content_type:
            raise Refusal(400, "Content-Type must be application/json")
        try:
            document = json.loads(self.request.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Refusal(400, "Request body is not a JSON object")
        if missing := set(required) - set(document):
            raise Refusal(400, f"Missing: {', '.join(sorted(missing))}")
        if allowed is not None and (unknown := set(document) - set(allowed)):
            raise Refusal(400, f"Not allowed: {', '.join(sorted(unknown))}")
        return document

    def number(self, at: int) -> int:
        """A part of the path that must be a whole number."""
        if not self.parts[at].isdigit():
            raise Refusal(404, "Not Found")
        return int(self.parts[at])

    def sensor(self, number: Any) -> Endpoint:
        """The sensor of this number, installed or not; a number may come as a text."""
        found = self.tenant.endpoints.get(str(number))
        if found is None:
            raise Refusal(404, f"Sensor {number} not found")
        found.settle(self.now)
        return found

    def may(self, scope: str) -> None:
        """What the token's user may do."""
        if not self.credential.allows(scope):
            raise Refusal(403, "Forbidden")

    def effect(self, verb: str, target: str, *, changed: bool, **facts: Any) -> None:
        """Write down what was asked of the pretend world, and whether it changed."""
        self.journal.effect(verb, target, changed=changed, vendor=VENDOR, tenant=self.tenant.name, user=self.credential.client_id, **facts)
