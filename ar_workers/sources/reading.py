"""Typed access to a record's fields: what is missing or of a wrong type is refused by its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..domain.errors import InvalidEvent
from ..domain.instants import instant_of
from ..domain.text import LONGEST, shortened
from ..domain.threats import Severity

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from datetime import datetime


class Grade(NamedTuple):
    """A severity; where it is unknown, `doubt` says which field left it so, and why."""

    severity: Severity
    doubt: str = ""


@dataclass(frozen=True)
class Fields:
    """One JSON object of a record. `where` stands before its fields' names in a refusal, as in `threatInfo.`."""

    values: dict[str, Any]
    where: str = ""

    @classmethod
    def of(cls, value: object, path: str = "") -> Fields:
        """The object at `path`; the record itself has none."""
        if not isinstance(value, dict):
            raise InvalidEvent(path or "record", "is missing" if value is None else "is not an object")
        return cls(value, f"{path}." if path else "")

    def raw(self, name: str) -> Any:
        """Whatever stands there, unchecked; None if nothing does."""
        return self.values.get(name)

    def refusal(self, name: str, reason: str) -> InvalidEvent:
        """What is wrong with a field, to be raised."""
        return InvalidEvent(self.where + name, reason)

    def part(self, name: str, *, optional: bool = False) -> Fields:
        """The object in a field. An optional one that is missing has no fields."""
        found = self.raw(name)
        return Fields.of({} if optional and found is None else found, self.where + name)

    def parts(self, name: str) -> list[Fields]:
        """The objects of a list, each with its place; none where there is no list. What is no object is passed over."""
        found = self.raw(name)
        if not isinstance(found, list | None):
            raise self.refusal(name, "is not a list")
        return [Fields.of(each, f"{self.where}{name}.{place}") for place, each in enumerate(found or []) if isinstance(each, dict)]

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not blank. Without a default there must be one."""
        found = self.raw(name)
        if isinstance(found, str) and found.strip():
            return found
        if default is None:
            raise self.refusal(name, "is missing" if found is None else "is not a text")
        return default

    def shown(self, *names: str, default: str) -> str:
        """The first of the fields that has a text, as one line for people."""
        texts = (line_of(self.raw(name)) for name in names)
        return next(filter(None, texts), default)

    def means(self, name: str, table: Mapping[str, Severity], *, default: str = "") -> Grade:
        """The severity that the vendor's word in a field is in ours. A word that nobody wrote down is never guessed."""
        word = self.text(name, default).strip().lower()
        grade = table.get(word, Severity.UNKNOWN)
        if not word:
            return self._unknown(name, "is not a text")
        if word not in table:
            return self._unknown(name, f"is {shortened(word, 40)!r}, known are {', '.join(table)}")
        return Grade(grade) if grade is not Severity.UNKNOWN else self._unknown(name, f"is {word!r}")

    def ranks(self, name: str, bands: Mapping[int, Severity]) -> Grade:
        """The severity of a number: that of the highest band, named by its lowest number, that it reaches."""
        found = number_of(self.raw(name))
        reached = [lowest for lowest in bands if found is not None and found >= lowest]
        return Grade(bands[max(reached)]) if reached else self._unknown(name, f"is not a number from {min(bands)} on")

    def _unknown(self, name: str, reason: str) -> Grade:
        return Grade(Severity.UNKNOWN, f"{self.where}{name}: {'is missing' if self.raw(name) is None else reason}")

    def latest(self, *names: str) -> datetime | None:
        """The latest instant in any of the fields; None if none of them has one."""
        return max(filter(None, (instant_of(self.raw(name)) for name in names)), default=None)

    def moment(self, *names: str) -> datetime:
        """The first of the fields that is an instant: ISO 8601 with its offset, or a number that counts from 1970 (see `instants`)."""
        found = next(filter(None, (instant_of(self.raw(name)) for name in names)), None)
        if found is None:
            name = next((name for name in names if self.raw(name) is not None), names[0])
            raise self.refusal(name, "is missing" if self.raw(name) is None else "is not an instant with its offset from UTC")
        return found


def line_of(value: object) -> str:
    """A text as one line for people; empty for anything else."""
    return shortened(value[: 4 * LONGEST], LONGEST) if isinstance(value, str) else ""


def number_of(value: object) -> float | None:
    """A number, or a text that is one: several vendors send numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def judged(words: Sequence[object], table: Mapping[str, bool]) -> bool:
    """Whether a vendor calls something malicious: one of its words says so (True in the table), and none takes it back (False)."""
    said = {table[word.lower()] for word in words if isinstance(word, str) and word.lower() in table}
    return said == {True}


def ended(words: Sequence[object], table: Container[str]) -> str:
    """Those of a vendor's words that end an alert, for people; empty if none does. Case, and what stands between words, differ."""
    texts = [word for word in words if isinstance(word, str)]
    found = [line_of(text) for text in texts if text.strip().lower().replace(" ", "_").replace("-", "_") in table]
    return ", ".join(dict.fromkeys(found))
