"""OData's `$filter`, as far as the API documents it: comparisons, joined by `and`, of the fields of each list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]

_TERM = re.compile(
    r"\s*(?:(?P<field>\w+)\s+(?P<sign>eq|ne|gt|ge|lt|le)\s+|startswith\((?P<stem>\w+)\s*,\s*)"
    r"(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[\w.:+-]+))\s*\)?\s*(?:$|\band\b)"
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda actual, wanted: bool(actual == wanted),
    "ne": lambda actual, wanted: bool(actual != wanted),
    "gt": lambda actual, wanted: bool(actual > wanted),
    "ge": lambda actual, wanted: bool(actual >= wanted),
    "lt": lambda actual, wanted: bool(actual < wanted),
    "le": lambda actual, wanted: bool(actual <= wanted),
}
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT[\d:]+(?:\.\d+)?Z?$")


def compile_filter(text: str, fields: Iterable[str]) -> Test | None:
    """A predicate over rows; None for a filter that cannot be read or names a field that cannot be filtered by."""
    tests: list[Test] = []
    at = 0
    while text[at:].strip():
        found = _TERM.match(text, at)
        if found is None or (found["field"] or found["stem"]) not in fields:
            return None
        tests.append(_test(found))
        at = found.end()
    return lambda row: all(test(row) for test in tests)


def _test(found: re.Match[str]) -> Test:
    text = found["text"]
    wanted = _plain(found["bare"] if text is None else text.replace("''", "'"))
    if found["stem"]:
        return lambda row: _plain(row.get(found["stem"])).startswith(wanted)
    compare = _SIGNS[found["sign"]]
    return lambda row: compare(_plain(row.get(found["field"])), wanted)


def _plain(value: Any) -> str:
    """Comparable text: instants with as many digits as there can be, so that text order is time's order."""
    text = "" if value is None else str(value)
    if not _INSTANT.match(text):
        return text
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return f"{seconds}.{fraction:0<9}"
