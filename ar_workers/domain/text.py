"""The one rule for strings that came from outside: bounded, one line, no control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

#: C0/C1 controls, format characters (bidi overrides, zero width), lone surrogates and line separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_printable(text: str) -> bool:
    """Whether no character of `text` could hide, reorder or break a line."""
    return text.isprintable() or not any(unicodedata.category(char) in _UNPRINTABLE for char in text)


def cleaned(text: str) -> str:
    """`text` with every unprintable character replaced by a space, for showing; never for matching."""
    return "".join(" " if unicodedata.category(char) in _UNPRINTABLE else char for char in text)


def shortened(text: str, most: int) -> str:
    """What somebody else's program said as one printable line, at most `most` long, and with an ellipsis where it was cut."""
    plain = " ".join(cleaned(text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _one_line(text: str) -> str:
    if not is_printable(text):
        message = "has control, bidi or line-break characters"
        raise ValueError(message)
    return text


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
#: An id that a vendor or publisher gave: safe inside a Redis key, a URL path and a file name.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_one_line)]
#: Free text of a person: shown, never acted on.
Prose = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(lambda text: "\n".join(map(cleaned, text.splitlines())))]
_ADDRESS = re.compile(r"^[^@\s,;<>\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$")


def _mail_address(text: str) -> str:
    if not _ADDRESS.match(text):
        raise ValueError("is not one mail address such as soc@acme.example")
    return text


MailAddress = Annotated[Line, AfterValidator(_mail_address)]
