"""Microsoft Teams by a Workflows webhook: an Adaptive Card whose foreign text is never markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from ..domain.results import Answer, Result
from ..domain.text import cleaned
from .base import LONGEST_CODE, essentials, one_line, printable
from .egress import Egress
from .outcomes import encoded, fitting_items, outcome
from .targets import Url, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.notifications import Delivery, Notification
    from .egress import Reply

#: Teams takes some 28 KB for the whole message.
LARGEST = 25_000
HEADLINE, LABEL, LINE, SPOKEN = 200, 60, 500, 300
#: The newest version that the Workflows bot takes: a 1.5 card is dropped after the 202.
VERSION = "1.4"
_RETIRED = re.compile(r"(^|\.)webhook\.office(365)?\.com$|^outlook\.office(365)?\.com$")
#: The flow runs after it has answered, and may then fail.
ACCEPTED = "accepted by the workflow; whether the card was posted cannot be seen"
#: What Markdown (fallbackText) or SSML (speak) would read as markup.
_MARKUP = str.maketrans(dict.fromkeys("<>&[]()*_`~#|\\", " "))


def _not_retired(url: SecretStr) -> SecretStr:
    if _RETIRED.search(parsed(url.get_secret_value()).host):
        raise ValueError("is an Office 365 connector, which Microsoft has retired: use the URL of a webhook flow made in Workflows")
    return url


class Config(BaseModel):
    """One flow, "Post to a channel when a webhook request is received". Its URL is its secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[Url, AfterValidator(_not_retired)]


class Teams:
    """`ports.Channel`. Nobody can be asked what was posted; but each card names its delivery, so a copy is seen to be one."""

    dedupes = False
    marks_copies = True

    def __init__(self, config: Config, egress: Egress | None = None) -> None:
        self._config, self._egress = config, egress or Egress()

    def render(self, notification: Notification, delivery_id: str) -> dict[str, Any]:
        """The message: without the `attachments` envelope the flow fails, and only after its 202."""
        content = _card(notification, delivery_id)
        message = {
            "type": "message",
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}],
        }
        lines, left_out = fitting_items(list(_lines(notification)), LARGEST - len(encoded(message)) - len(encoded(_more(10**6))))
        content["body"][-1:-1] = lines + [_more(left_out)] * bool(left_out)
        return message

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002
        """Post once."""
        url = self._config.url.get_secret_value()
        body = encoded(self.render(delivery.notification, delivery_id))
        result = outcome(
            lambda: self._egress.post(url, body, {"Content-Type": "application/json"}),
            reference=lambda reply: _run_of(reply) or delivery_id,
            dedupes=False,
        )
        return result.model_copy(update={"code": ACCEPTED}) if result.answer is Answer.ACCEPTED else result

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002
        """Nobody can tell."""
        return None


def _card(note: Notification, delivery_id: str) -> dict[str, Any]:
    """What is never clipped: the headline, severity, classification and link, and last the delivery's id."""
    threat = note.threat
    plain = f"{threat.severity.upper()} severity, {cleaned(threat.classification)}. " if threat else ""
    spoken = inert(f"{plain}{one_line(note.headline, HEADLINE)}".translate(_MARKUP))
    body = [_block(_run(one_line(note.headline, HEADLINE), size="Large", weight="Bolder"))]
    body += [_fact(label, value) for label, value in essentials(note)]
    body.append(_block(_run(f"Delivery {cleaned(delivery_id)}", size="Small", isSubtle=True)))
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": VERSION,
        "lang": "en",
        "fallbackText": f"{spoken} {threat.url}" if threat else spoken,
        "speak": one_line(spoken, SPOKEN),
        "body": body,
    }
    return card | ({"actions": [{"type": "Action.OpenUrl", "title": "Open threat", "url": threat.url}]} if threat else {})


def _lines(note: Notification) -> Iterator[dict[str, Any]]:
    """What may be clipped, in reading order."""
    yield from (_fact(label, one_line(value, LINE)) for label, value in note.facts)
    yield from (_block(_run(line)) for line in _paragraphs(note.body))


def _paragraphs(body: str) -> Iterator[str]:
    """Lines of at most LINE characters; a longer one goes on in the next."""
    for line in printable(body).splitlines():
        yield from (line[start : start + LINE] for start in range(0, len(line), LINE))


def _fact(label: str, value: str) -> dict[str, Any]:
    return _block(_run(f"{one_line(label, LABEL)}: ", weight="Bolder"), _run(value))


def _more(number: int) -> dict[str, Any]:
    return _block(_run(f"… ({number} more, see the threat)", isSubtle=True))


def _block(*runs: dict[str, Any]) -> dict[str, Any]:
    """RichTextBlock, because a TextBlock would read Markdown."""
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": inert(text), **style}


def inert(text: str) -> str:
    """`text` without two braces in a row: clients replace `{{DATE(…)}}` and `{{TIME(…)}}`."""
    return re.sub(r"\{(?=\{)", "{\u2060", text)


def _run_of(reply: Reply) -> str:
    """The flow's run, by which its owner finds it in the history."""
    return one_line(reply.headers.get("x-ms-workflow-run-id", ""), LONGEST_CODE)
