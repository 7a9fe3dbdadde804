"""A twin's written table of routes, and which of them a request means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

EntryT = TypeVar("EntryT")


@dataclass(frozen=True)
class Route(Generic[EntryT]):
    """`path` as the table writes it, and the parts of the request's that it leaves open."""

    path: str
    entry: EntryT
    parts: tuple[str, ...]


class Routes(Generic[EntryT]):
    """(method, path) -> what the twin knows of it. A star stands for one part of the path, or for a piece of one."""

    def __init__(self, table: Mapping[tuple[str, str], EntryT]) -> None:
        self._table = table
        self._shapes = {path: re.compile(re.escape(path).replace(r"\*", "([^/]+)")) for _, path in table}

    def find(self, method: str, path: str) -> Route[EntryT] | None:
        """What is written without a star comes before what a star would stand for."""
        if "*" not in path and (method, path) in self._table:
            return Route(path, self._table[method, path], ())
        for shape, one in self._shapes.items():
            match = one.fullmatch(path)
            if match and (method, shape) in self._table:
                return Route(shape, self._table[method, shape], match.groups())
        return None

    def is_known(self, path: str) -> bool:
        """Whether another method would find something here: 405 instead of 404."""
        return any(shape.fullmatch(path) for shape in self._shapes.values())
