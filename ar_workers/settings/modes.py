"""The mode in the text of a customer's file: read by itself, and changed so that everything else of the file stays as it is."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from ..domain.errors import ARError
from ..domain.policies import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The key before the first section, with its value between quotes; whatever follows on the line is kept.
_LINE = re.compile(r"""^(?P<key>[ \t]*(?:mode|"mode"|'mode')[ \t]*=[ \t]*)(?:"[^"\r\n]*"|'[^'\r\n]*')""", re.MULTILINE)
#: What is neither blank nor a comment.
_FIRST = re.compile(r"^(?![ \t]*(?:#|\r?$))", re.MULTILINE)


def mode_in(text: str) -> Mode | None:
    """What the file says; None if it says nothing, which means live. Raises ARError if it cannot be read."""
    try:
        said = tomllib.loads(text).get("mode")
        return None if said is None else Mode(said)
    except tomllib.TOMLDecodeError as error:
        raise ARError(f"is not readable TOML: {error}") from None
    except ValueError:
        raise ARError(f"its mode is none: one of {', '.join(Mode)}") from None


def with_mode(text: str, mode: Mode) -> str:
    """The same file with this mode: the one line is changed, or inserted above what is first. Raises ARError if it cannot be read."""
    mode_in(text)
    wanted = {**tomllib.loads(text), "mode": str(mode)}
    for changed in _attempts(text, mode):
        if _read(changed) == wanted:
            return changed
    raise ARError(f'its line cannot be told from the rest: write mode = "{mode}" at its top')


def _attempts(text: str, mode: Mode) -> Iterator[str]:
    for found in _LINE.finditer(text):
        yield f'{text[: found.start()]}{found["key"]}"{mode}"{text[found.end() :]}'
    at, end = _first(text), "\r\n" if "\r\n" in text else "\n"
    before = text[:at] if not text[:at] or text[:at].endswith("\n") else text[:at] + end
    yield f'{before}mode = "{mode}"{end}{end if text[at:] else ""}{text[at:]}'


def _first(text: str) -> int:
    found = _FIRST.search(text)
    return found.start() if found else len(text)


def _read(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
