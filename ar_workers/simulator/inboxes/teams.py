"""A pretend Teams: a Workflows webhook that is as strict at once as the real flow is after it has answered."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Iterator
from typing import Any

from ..inbox import over_https
from ..journal import Journal
from ..server import Reply, Request, Untenanted, json_reply

VENDOR = "teams"
LARGEST = 28 * 1024
CARD = "application/vnd.microsoft.card.adaptive"
#: Of the 1.4 schema what anybody here needs; an unknown property is refused, as a strict reader of the schema does.
FIELDS: dict[str, frozenset[str]] = {
    "AdaptiveCard": frozenset({"type", "$schema", "version", "lang", "fallbackText", "speak", "body", "actions"}),
    "RichTextBlock": frozenset({"type", "inlines", "horizontalAlignment", "separator", "spacing", "id", "isVisible", "height"}),
    "TextRun": frozenset({"type", "text", "size", "weight", "color", "isSubtle", "fontType", "italic", "strikethrough", "underline"}),
    "TextBlock": frozenset({"type", "text", "size", "weight", "color", "isSubtle", "wrap", "maxLines", "separator", "spacing"}),
    "Action.OpenUrl": frozenset({"type", "title", "url"}),
}
SIZES = frozenset({"Default", "Small", "Medium", "Large", "ExtraLarge"})
WEIGHTS = frozenset({"Default", "Lighter", "Bolder"})


class TeamsInbox(Untenanted):
    """`POST` with the flow's `sig` in the query: 202, and the card is posted; or 400 with what is wrong with it."""

    vendor = VENDOR

    def __init__(self, journal: Journal, *, sig: str) -> None:
        self._journal, self._sig = journal, sig

    def answer(self, request: Request) -> Reply:
        if request.method != "POST":
            return json_reply(404, {"error": {"code": "NotFound"}})
        if not hmac.compare_digest(request.first("sig"), self._sig):
            return json_reply(401, {"error": {"code": "DirectApiAuthorizationRequired"}})
        try:
            message = json.loads(request.body)
            if _counted(message) > LARGEST:
                return json_reply(413, {"error": {"code": "MessageSizeExceeded"}})
            card = message["attachments"][0]["content"]
            problems = [*_envelope_problems(message), *_card_problems(card)]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            problems = [f"no message with a card ({type(error).__name__})"]
        if problems:
            return json_reply(400, {"error": {"code": "BadRequest", "message": "; ".join(problems)}})
        run = uuid.uuid4().hex
        self._journal.append("message", vendor=VENDOR, tenant="", channel="flow", id=run, subject=str(card["fallbackText"]), body=message)
        return Reply(202, headers={"x-ms-workflow-run-id": run})


def _counted(message: Any) -> int:
    """As the message is kept: JSON in a JSON string."""
    return len(json.dumps(json.dumps(message, separators=(",", ":"))))


def _envelope_problems(message: dict[str, Any]) -> Iterator[str]:
    if message.get("type") != "message" or len(message["attachments"]) != 1:
        yield "not a message with one attachment"
    if message["attachments"][0].get("contentType") != CARD:
        yield "not an Adaptive Card"


def _card_problems(card: dict[str, Any]) -> Iterator[str]:
    if card.get("type") != "AdaptiveCard" or tuple(map(int, card["version"].split("."))) > (1, 4):
        yield "not an Adaptive Card of version 1.4 or older"
    if not all(isinstance(card.get(name), str) and card[name] for name in ("fallbackText", "speak", "lang")):
        yield "fallbackText, speak or lang is missing"
    for element in _elements(card):
        yield from _element_problems(element)


def _elements(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield element
    for name in ("body", "inlines", "actions"):
        for each in element.get(name, []):
            yield from _elements(each)


def _element_problems(element: dict[str, Any]) -> Iterator[str]:
    kind = str(element.get("type"))
    if not set(element) <= FIELDS.get(kind, frozenset()):
        yield f"{kind} is not known, or has an unknown property"
    if kind in {"TextRun", "TextBlock"} and not (isinstance(element.get("text"), str) and element["text"]):
        yield f"{kind} without text"
    if element.get("size", "Default") not in SIZES or element.get("weight", "Default") not in WEIGHTS:
        yield f"{kind} with an unknown size or weight"
    if kind == "Action.OpenUrl" and not str(element.get("url")).startswith("https://"):
        yield "a link without https"


INBOX = over_https(VENDOR, TeamsInbox, path="/workflows/simulated", sig="simulated")
