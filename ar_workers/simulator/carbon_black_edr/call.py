"""One admitted call on its way through a handler, with all that the handler may need."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .. import calls
from ..endpoints import Endpoint
from ..server import Reply, json_reply
from .options import Options

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


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call[Options]):
    def document(self, *, required: Collection[str] = (), allowed: Collection[str] | None = None) -> Row:
        """The JSON object of the body, with its required fields; where the server has a list of allowed ones, none beside those."""
        wrong = Refusal(400, "Request body is not a JSON object")
        document = self.request.json(other_type=Refusal(400, "Content-Type must be application/json"), broken=wrong)
        if not isinstance(document, dict):
            raise wrong
        if missing := set(required) - set(document):
            raise Refusal(400, f"Missing: {', '.join(sorted(missing))}")
        if allowed is not None and (unknown := set(document) - set(allowed)):
            raise Refusal(400, f"Not allowed: {', '.join(sorted(unknown))}")
        return document

    def number(self, at: int) -> int:
        """A part of the path that must be a whole number."""
        if not self.parts[at].isdecimal():
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
        super().effect(verb, target, changed=changed, user=self.user, **facts)
