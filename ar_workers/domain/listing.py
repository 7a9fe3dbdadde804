"""Long lists of paths and keys, in which one is found without comparing it with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .spelling import is_pattern, is_short_name, may_be

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    #: The names of a path or key from its root on, folded.
    Names = Sequence[str]


class _Node:
    """Where entries with the same first names meet. `here` is the place in the list of the entry that ends here, `first` the least
    of those that end here or below.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, _Node] = {}
        self.patterns: list[tuple[str, _Node]] = []
        self.here: list[int] = []
        self.first: list[int] = []

    def add(self, names: Names, place: int) -> None:
        self.first.append(place)
        if not names:
            self.here.append(place)
            return
        if names[0] not in self.by_name:
            self.by_name[names[0]] = _Node()
            if is_pattern(names[0]):
                self.patterns.append((names[0], self.by_name[names[0]]))
        self.by_name[names[0]].add(names[1:], place)

    def after(self, name: str) -> list[_Node]:
        """Where whatever the name may be leads."""
        listed = self.by_name.items() if is_short_name(name) else self.patterns
        found = [node for each, node in listed if each != name and may_be(name, each)]
        if name in self.by_name:
            found.append(self.by_name[name])
        return found


class Listing:
    """Entries as they are told, by their names. Of several that are met the one that comes first is told."""

    def __init__(self, entries: Iterable[tuple[str, Names]]) -> None:
        self._entries: list[str] = []
        self._root = _Node()
        for entry, names in entries:
            self._root.add(names, len(self._entries))
            self._entries.append(entry)

    def above(self, *several: Names) -> str | None:
        """The entry that one of the several is, or lies below."""
        return self._told([place for names in several for nodes in self._ways(names) for node in nodes for place in node.here])

    def below(self, names: Names) -> str | None:
        """The entry that it is, or lies above."""
        return self._told([place for node in self._end(names) for place in node.first])

    def same(self, names: Names) -> str | None:
        """The entry that it is."""
        return self._told([place for node in self._end(names) for place in node.here])

    def _told(self, places: list[int]) -> str | None:
        return self._entries[min(places)] if places else None

    def _ways(self, names: Names) -> list[list[_Node]]:
        """Where each name more leads, until it leads nowhere."""
        ways, nodes = [], [self._root]
        for name in names:
            nodes = [after for node in nodes for after in node.after(name)]
            if not nodes:
                break
            ways.append(nodes)
        return ways

    def _end(self, names: Names) -> list[_Node]:
        ways = self._ways(names)
        return ways[-1] if len(ways) == len(names) > 0 else []
