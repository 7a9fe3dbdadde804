"""The search box of devices: words that match anywhere in a name, which is why nobody should act on its hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .call import Refusal


def matcher(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether every word, or `field:word`, is part of a row, whatever its case."""
    words = _words(text)
    return lambda row: all(_hits(word, row) for word in words)


def _words(text: str) -> list[str]:
    """Refuse what Lucene could not read."""
    if text.count('"') % 2 or text.count("(") != text.count(")") or any(word.endswith(":") for word in text.split()):
        raise Refusal(400, "INVALID_PARAMETER", "Invalid query", reason="query_malformed_syntax")
    return [word for word in text.replace('"', "").split() if word != "AND"]


def _hits(word: str, row: Mapping[str, Any]) -> bool:
    name, separator, wanted = word.partition(":")
    values = [row.get(name)] if separator else list(row.values())
    return any((wanted if separator else word).casefold().strip("*") in str(value).casefold() for value in values)
