"""Strings that came from outside: what is acted on is refused unless it is clean, what is only shown is made so."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from .lenient import Leniently

#: C0/C1 controls, format characters (bidi overrides, zero width), lone surrogates and line separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
LONGEST, LONGEST_PROSE = 500, 20_000
LONGEST_ID = 128
#: Beyond every name that can be: a path of Windows has at most 32,767 characters, and its endpoint and a reason stand beside it.
LONGEST_WHOLE = 40_000


def is_printable(text: str) -> bool:
    """Whether no character of `text` could hide, reorder or break a line."""
    return text.isprintable() or not any(unicodedata.category(char) in _UNPRINTABLE for char in text)


def cleaned(text: str) -> str:
    """`text` with every unprintable character replaced by a space, for showing; never for matching."""
    if text.isprintable():  # nearly every text is
        return text
    return "".join(" " if unicodedata.category(char) in _UNPRINTABLE else char for char in text)


def shortened(text: str, most: int) -> str:
    """What somebody else's program said as one printable line, at most `most` long, and with an ellipsis where it was cut."""
    plain = " ".join(cleaned(text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def whole(text: str) -> str:
    """`text` as one printable line, and every character of it, because people paste names back.

    It is cut only beyond `LONGEST_WHOLE`, and then says so.
    """
    plain = cleaned(text[: LONGEST_WHOLE + 1]).strip()
    if len(plain) <= LONGEST_WHOLE:
        return plain
    note = f"… (cut: it has {len(text):,} characters)"
    return plain[: LONGEST_WHOLE - len(note)] + note


def _one_line(text: str) -> str:
    if not is_printable(text):
        message = "has control, bidi or line-break characters"
        raise ValueError(message)
    return text


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
#: An id that a vendor or publisher gave: safe inside a Redis key, a URL path and a file name.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
#: What is acted on or matched: it is taken as it is, or refused.
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_one_line)]


def shown(value: object) -> str:
    """What somebody else wrote as one line that is only shown; empty for what is no text."""
    # Four times the bound, because what is folded makes a text shorter.
    return shortened(value[: 4 * LONGEST], LONGEST) if isinstance(value, str) else ""


def _prose(value: object) -> str:
    text = value if isinstance(value, str) else ""
    lines = "\n".join(map(cleaned, text[: LONGEST_PROSE + 1].splitlines()))
    return lines if len(text) <= LONGEST_PROSE else lines[: LONGEST_PROSE - 1] + "…"


def _whole(value: object) -> str:
    return whole(value) if isinstance(value, str) else ""


def otherwise(default: str) -> AfterValidator:
    """What is shown where a text is missing, or has nothing that could be shown."""
    return AfterValidator(lambda text: text or default)


#: Words of printable ASCII with one blank between them, which cleaning and folding leave as they are.
PLAIN_WORDS = r"^[!-~]+(?: [!-~]+)*$"
PLAIN_LINE = r"^[!-~](?:[ -~]*[!-~])?$"
#: One line that is only shown: cleaned, folded and cut, and never refused. Empty where nothing is left; see `otherwise`.
Shown = Annotated[str, StringConstraints(max_length=LONGEST), Leniently(shown, plain=PLAIN_WORDS)]
#: One line that names what was acted on or met, which people copy: cleaned, kept whole, and never refused. Channels and tables cut.
Whole = Annotated[str, StringConstraints(max_length=LONGEST_WHOLE), Leniently(_whole, plain=PLAIN_LINE)]
#: Free text of a person over several lines, only shown: cleaned and cut, and never refused.
Prose = Annotated[str, StringConstraints(max_length=LONGEST_PROSE), BeforeValidator(_prose)]
_ADDRESS = re.compile(r"^[^@\s,;<>\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$")


def _mail_address(text: str) -> str:
    if not _ADDRESS.match(text):
        raise ValueError("is not one mail address such as soc@acme.example")
    return text


MailAddress = Annotated[Line, AfterValidator(_mail_address)]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def _span(value: object) -> object:
    is_short = isinstance(value, str) and value[:-1].isdecimal() and value[-1] in _UNITS
    return timedelta(**{_UNITS[value[-1]]: int(value[:-1])}) if is_short and isinstance(value, str) else value


def typed(span: timedelta) -> str:
    """A duration as people type it: whole hours, else minutes, else seconds."""
    seconds = round(span.total_seconds())
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if seconds % size == 0)
    return f"{seconds // size}{unit}"


def spoken(span: timedelta) -> str:
    """The two largest units: `40 s`, `15 min`, `1 h 15 min`, `2 d 3 h`."""
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if number]
    return " ".join(parts[:2] if days or hours else parts[:1]) or "0 s"


#: `90s`, `10m`, `2h`; what else pydantic takes for a duration it takes here, too.
Span = Annotated[timedelta, BeforeValidator(_span)]
