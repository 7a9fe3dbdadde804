"""The form of a list: entries of one owner, and where it is said that they are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Listed(NamedTuple):
    """Entries of one owner, with the page that they are taken from."""

    owner: str
    source: str
    entries: tuple[str, ...]


def lines(owner: str, source: str, text: str) -> Listed:
    """One entry a line."""
    return Listed(owner, source, tuple(text.strip().splitlines()))


def words(owner: str, source: str, text: str) -> Listed:
    """One entry a word."""
    return Listed(owner, source, tuple(text.split()))


def entries(lists: Iterable[Listed]) -> tuple[str, ...]:
    """All of them, in their order."""
    return tuple(entry for each in lists for entry in each.entries)
