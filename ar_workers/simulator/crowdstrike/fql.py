"""Falcon Query Language, as far as filters of hosts, groups, IOCs, files and alerts need it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..options import NameMatch, is_named
from .envelope import Refusal
from .options import Options

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

TERM = re.compile(
    r"\s*(?P<field>[A-Za-z_][\w.]*)\s*:\s*(?P<op>!~|~|!|>=|<=|>|<|\*)?\s*"
    r"(?P<value>\[[^\]]*\]|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[\w.:+-]+?(?=[+,)\s]|$))"
)
ITEM = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^,\s'\"]+)")
#: Compared by the switch `name_match`; everything else is compared exactly.
NAMES = frozenset({"name", "hostname"})


def compile_filter(text: str, fields: Iterable[str], options: Options) -> Test:
    """A predicate over rows; a filter that cannot be read, or names a stranger, is refused with 400."""
    if not text.strip():
        return lambda _: True
    return _Parser(text, frozenset(fields), options).parse()


class _Parser:
    """`+` binds tighter than `,`; parentheses group."""

    def __init__(self, text: str, fields: frozenset[str], options: Options) -> None:
        self._text = text
        self._fields = fields
        self._options = options
        self._at = 0

    def parse(self) -> Test:
        test = self._any_of()
        if self._text[self._at :].strip():
            raise self._refusal()
        return test

    def _any_of(self) -> Test:
        tests = [self._all_of()]
        while self._take(","):
            tests.append(self._all_of())
        return lambda row: any(test(row) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self._take("+"):
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._take("("):
            test = self._any_of()
            if not self._take(")"):
                raise self._refusal()
            return test
        found = TERM.match(self._text, self._at)
        if found is None:
            raise self._refusal()
        self._at = found.end()
        if found["field"] not in self._fields:
            raise Refusal(400, f"invalid filter property: {found['field']}")
        return self._term(found["field"], found["op"] or "", values_of(found["value"]))

    def _term(self, name: str, operator: str, values: list[str]) -> Test:
        style: NameMatch = self._options.name_match if name in NAMES else "exact"
        compare = COMPARISONS.get(operator) or matching(style)
        negated = operator.startswith("!")

        def test(row: Row) -> bool:
            actual = row.get(name)
            held = actual if isinstance(actual, list) else [actual]
            hit = any(compare(plain(one), value) for one in held for value in values)
            return hit != negated

        return test

    def _take(self, mark: str) -> bool:
        rest = self._text[self._at :].lstrip()
        if not rest.startswith(mark):
            return False
        self._at = len(self._text) - len(rest) + 1
        return True

    def _refusal(self) -> Refusal:
        return Refusal(400, f"invalid filter expression near position {self._at}")


def values_of(text: str) -> list[str]:
    inner = text[1:-1] if text.startswith("[") else text
    found = ITEM.findall(inner)
    return [re.sub(r"\\(.)", r"\1", single or double) or bare for single, double, bare in found] or [""]


def plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def matching(style: NameMatch) -> Callable[[str, str], bool]:
    return lambda actual, wanted: is_named(actual, wanted, style)


def ordered(actual: str, wanted: str) -> tuple[Any, Any]:
    """Numbers compare as numbers, instants as text without their trailing Z."""
    try:
        return float(actual), float(wanted)
    except ValueError:
        return actual.rstrip("Z"), wanted.rstrip("Z")


def _compare(sign: str) -> Callable[[str, str], bool]:
    signs: dict[str, Callable[[tuple[Any, Any]], bool]] = {
        ">=": lambda pair: bool(pair[0] >= pair[1]),
        "<=": lambda pair: bool(pair[0] <= pair[1]),
        ">": lambda pair: bool(pair[0] > pair[1]),
        "<": lambda pair: bool(pair[0] < pair[1]),
    }
    decide = signs[sign]
    return lambda actual, wanted: decide(ordered(actual, wanted))


COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    **{sign: _compare(sign) for sign in (">=", "<=", ">", "<")},
    "!": matching("exact"),
    "~": matching("partial"),
    "!~": matching("partial"),
    "*": lambda actual, wanted: fnmatchcase(actual.casefold(), wanted.casefold()),
}


def sort_rows(rows: list[Any], sort: str, *, allowed: Iterable[str], key: Callable[[Any, str], Any]) -> list[Any]:
    """Sort by `field|asc` or `field.desc`; equal rows keep their order."""
    if not sort:
        return rows
    name, _, direction = sort.replace("|", ".").rpartition(".")
    if direction not in {"asc", "desc"}:
        name, direction = sort, "asc"
    if name not in frozenset(allowed):
        raise Refusal(400, f"invalid sort property: {name}")
    return sorted(rows, key=lambda row: key(row, name), reverse=direction == "desc")
