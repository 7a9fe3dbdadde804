"""Microsoft Teams by a Workflows webhook: an Adaptive Card whose foreign text is never markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ..domain.checkups import Check
from ..domain.results import Answer, Result
from ..domain.text import cleaned
from .base import LONGEST_CODE, Entry, essentials, one_line, printable
from .dialling import dialled
from .egress import Egress
from .outcomes import encoded, fitting_items, outcome
from .targets import Url, parsed
from .templating import OURS, Templates, Words, marked, plain_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.notifications import Delivery, Notification
    from .egress import Reply

#: Teams takes 28,672 bytes as it counts them, and refuses more in the flow, behind its 202 (MicrosoftDocs/msteams-docs#11274). The
#: rest is for what the flow adds.
LARGEST = 25_000
HEADLINE, LABEL, LINE, SPOKEN = 200, 60, 500, 300
#: The newest version that the Workflows bot takes: a 1.5 card is dropped after the 202.
VERSION = "1.4"
_RETIRED = re.compile(r"(^|\.)webhook\.office(365)?\.com$|^outlook\.office(365)?\.com$")
#: The flow runs after it has answered, and may then fail.
ACCEPTED = "accepted by the workflow; whether the card was posted cannot be seen"
#: What Markdown (fallbackText) or SSML (speak) would read as markup.
_LABELLED = re.compile(r"\*\*(.+?)\*\*")
_MARKUP = str.maketrans(dict.fromkeys("<>&[]()*_`~#|\\", " "))


def _not_retired(url: SecretStr) -> SecretStr:
    if _RETIRED.search(parsed(url.get_secret_value()).host):
        raise ValueError("is an Office 365 connector, which Microsoft has retired: use the URL of a webhook flow made in Workflows")
    return url


class Config(BaseModel):
    """One flow, "Post to a channel when a webhook request is received". Its URL is its secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[Url, AfterValidator(_not_retired)] = Field(
        description='The URL of a flow "Post to a channel when a webhook request is received".'
    )


def probe(config: Config, egress: Egress | None = None) -> Check:
    """A handshake: whether the URL is good shows only when something is posted."""
    return dialled("teams", config.url.get_secret_value(), egress or Egress())


class Teams:
    """`ports.Channel`. Nobody can be asked what was posted; but each card names its delivery, so a copy is seen to be one."""

    dedupes = False
    marks_copies = True

    def __init__(self, config: Config, egress: Egress | None = None, *, templates: Templates = OURS) -> None:
        self._config, self._egress, self._templates = config, egress or Egress(), templates

    def render(self, notification: Notification, delivery_id: str) -> dict[str, Any]:
        """The message: without the `attachments` envelope the flow fails, and only after its 202."""
        return _message(notification, delivery_id, self._words(notification))

    def _words(self, note: Notification) -> Words:
        return self._templates.words(note, "teams", _plain)

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002
        """Post once."""
        url = self._config.url.get_secret_value()
        words = self._words(delivery.notification)
        body = encoded(_message(delivery.notification, delivery_id, words))
        result = outcome(
            lambda: self._egress.post(url, body, {"Content-Type": "application/json"}),
            reference=lambda reply: _run_of(reply) or delivery_id,
            dedupes=False,
        )
        accepted = result.model_copy(update={"code": ACCEPTED}) if result.answer is Answer.ACCEPTED else result
        return marked(accepted, has_failed=words.has_failed)

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002
        """Nobody can tell."""
        return None


def _message(note: Notification, delivery_id: str, words: Words) -> dict[str, Any]:
    content = _card(note, delivery_id)
    message = {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}],
    }
    lines, left_out = fitting_items(list(_lines(words.text)), LARGEST - counted(message) - counted(_more(10**6)), counted)
    content["body"][-1:-1] = lines + [_more(left_out)] * bool(left_out)
    return message


def counted(part: Any) -> int:
    """The bytes of a message, or at most those of a part of it, as Teams counts: it keeps a card as JSON in a JSON string, in which every
    quote is two characters. 24,453 bytes that were sent were counted as 28,897.
    """
    return len(encoded(encoded(part).decode()))


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


def _lines(text: str) -> Iterator[dict[str, Any]]:
    """What may be clipped, in reading order: a block per line of at most LINE characters; a longer one goes on in the next."""
    for line in filter(str.strip, printable(text).splitlines()):
        found = _LABELLED.match(line)
        bold = [_run(one_line(found[1], LABEL), weight="Bolder")] if found else []
        rest = line[found.end() :] if found else line
        first, *more = [rest[start : start + LINE] for start in range(0, len(rest), LINE)] or [""]
        yield _block(*bold, *([_run(first)] if first else []))
        yield from (_block(_run(each)) for each in more)


def _plain(note: Notification) -> str:
    """The facts and the body, with nothing in bold."""
    return f"{plain_facts(note)}\n{printable(note.body)}".replace("**", "*\u2060*")


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


ENTRY = Entry(Config, Teams, probe, is_templated=True)
