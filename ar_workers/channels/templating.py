"""Words by template: one per kind of notification and form of a channel, ours or the operator's, and never silence.

A template is named `<kind or default>.<form>.j2`. It runs in a sandbox, an undefined name is an error, and every value in it
is cleaned and escaped by its form, so that no template can forget to. What must not be lost (severity, classification,
link) is looked for afterwards; whatever goes wrong, the built-in plain text is sent, and the delivery's evidence says so.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from ..domain.notifications import Kind
from ..domain.results import Answer
from ..domain.text import LONGEST_WHOLE
from .base import clipped, essentials, one_line
from .samples import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jinja2 import BaseLoader

    from ..domain.notifications import Notification
    from ..domain.results import Result

_log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent / "templates"
#: Stands in the evidence of the delivery.
FAILED = "template failed, plain text sent"
#: In chats, characters of a fact and of a value in Slack; of a body, and of all that a template may make; and the number of facts.
FACT, SLACK_VALUE, BODY, LONGEST, FACTS = 500, 240, 20_000, 5_000_000, 200


def escaped(text: str) -> str:
    """Slack's three entities, and a word joiner behind what would be formatting."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{char}\u2060" if char in "*_~`" else char for char in plain)


class _Paragraph(str):
    """Of the body, which people write: as long as it is."""

    __slots__ = ()


def _text(value: object) -> object:
    return value if isinstance(value, Markup) else _cleaned(str(value))


def _cleaned(text: str) -> str:
    return one_line(text, LONGEST_WHOLE)


def _slack(value: object) -> str:
    return escaped(one_line(str(value), SLACK_VALUE))


def _teams(value: object) -> str:
    """Two asterisks are bold, and only the template's."""
    return one_line(str(value), BODY if isinstance(value, _Paragraph) else FACT).replace("**", "*\u2060*")


class Form(NamedTuple):
    """A text that templates make for a channel: what becomes of each value in it.

    In a whole text the essentials must be found, and no value is cut; chats have the essentials set before it by code, and cut values.
    """

    value: Callable[[object], object]
    is_html: bool = False
    is_whole: bool = False


#: In Slack's a line is mrkdwn, in Teams' plain text that may begin with `**something bold**`.
FORMS: dict[str, Form] = {
    "mail.txt": Form(_text, is_whole=True),
    "mail.html": Form(_text, is_html=True, is_whole=True),
    "slack": Form(_slack),
    "teams": Form(_teams),
}
#: Every name that is looked for: of a kind first, then the default's, which we have for every form.
NAMES = frozenset(f"{kind}.{form}.j2" for kind in ("default", *Kind) for form in FORMS)


class Words(NamedTuple):
    """What is to be said, and whether it is the built-in text because the template failed."""

    text: str
    has_failed: bool = False


class Templates:
    """Ours, and before them those in the operator's `folder`. A customer has no way to give any."""

    def __init__(self, folder: Path | None = None) -> None:
        loader = ChoiceLoader([FileSystemLoader(each) for each in (folder, _FOLDER) if each])
        self._environments = {name: _environment(loader, form) for name, form in FORMS.items()}

    def words(self, note: Notification, form: str, instead: Callable[[Notification], str]) -> Words:
        """What the template says, or `instead` if it fails in any way."""
        try:
            return Words(self.render(note, form))
        except Exception:  # noqa: BLE001 - whatever a template does, a notification is not lost for its looks
            _log.exception("the template for %s as %s failed; the built-in plain text is sent", note.kind, form)
            return Words(instead(note), has_failed=True)

    def render(self, note: Notification, form: str) -> str:
        """What the template says. Raises whatever is wrong with it."""
        template = self.chosen(note.kind, form)
        text = template.render(values_of(note))
        missing = _missing(note, text, FORMS[form])
        if missing:
            raise TemplateError(f"leaves out the {' and the '.join(missing).lower()}")
        if len(text) > LONGEST:
            raise TemplateError(f"makes {len(text)} characters")
        return text

    def chosen(self, kind: str, form: str) -> Template:
        """The template for a kind, or the default one."""
        return self._environments[form].select_template([f"{kind}.{form}.j2", f"default.{form}.j2"])


def _environment(loader: BaseLoader, form: Form) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=form.is_html,
        undefined=StrictUndefined,
        finalize=form.value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = moment
    return environment


def marked(result: Result, *, has_failed: bool) -> Result:
    """What was accepted, with a word in its evidence if it is not what the template should have made."""
    if not has_failed or result.answer is not Answer.ACCEPTED:
        return result
    return result.model_copy(update={"code": f"{result.code}; {FAILED}" if result.code else FAILED})


def moment(at: datetime) -> str:
    """A time for people."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


#: Without an operator's.
OURS = Templates()


def values_of(note: Notification) -> dict[str, Any]:
    """What a template may say. `facts` are without those of the summary, which is None where there is none."""
    return {
        "kind": str(note.kind),
        "customer": note.customer,
        "headline": _cleaned(note.headline),
        "url": note.threat.url if note.threat else "",
        "essentials": essentials(note),
        "facts": _facts(note.other_facts),
        "paragraphs": [_Paragraph(line) for line in clipped(note.body, BODY).splitlines() if line.strip()],
        "summary": note.summary,
    }


def plain_text(note: Notification) -> str:
    """The whole notification without any template."""
    told = _lined([*essentials(note), *_facts(note.facts)])
    return "\n\n".join(part for part in (_cleaned(note.headline), told, clipped(note.body, BODY)) if part)


def plain_facts(note: Notification) -> str:
    """The facts of a chat message without any template; the rest is set by code."""
    return _lined([(one_line(label, FACT), one_line(value, FACT)) for label, value in _facts(note.facts)])


def _lined(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{label}: {value}" for label, value in facts)


def _facts(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The facts, and where there are very many, how many more there are."""
    shown = [(_cleaned(label), _cleaned(value)) for label, value in facts[:FACTS]]
    return shown if len(facts) <= FACTS else [*shown, ("More", f"… ({len(facts) - FACTS} more, see the threat)")]


def _missing(note: Notification, text: str, form: Form) -> list[str]:
    write: Callable[[str], str] = escape if form.is_html else str
    wanted = [*essentials(note), *([("DRY RUN", note.mark.strip(": "))] if note.mark else [])]
    return [label for label, value in wanted if form.is_whole and write(value) not in text]


def check_templates(folder: Path) -> list[str]:
    """Everything that is wrong with an operator's templates, found by rendering samples. No folder is fine."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [f"templates/{name}: {problem}" for name in names for problem in dict.fromkeys(_problems(folder, name))]


def _problems(folder: Path, name: str) -> Iterator[str]:
    if name not in NAMES:
        yield "is never looked for: names are like default.slack.j2"
        return
    kind, _, form = name.removesuffix(".j2").partition(".")
    templates = Templates(folder)
    for note in samples():
        if kind not in {"default", note.kind}:
            continue
        try:
            if templates.chosen(note.kind, form).name == name:
                templates.render(note, form)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the template's
            line = getattr(error, "lineno", None)
            yield f"{f'line {line}: ' if line else ''}{one_line(str(error), FACT)} ({type(error).__name__})"
