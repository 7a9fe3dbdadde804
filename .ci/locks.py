"""What the locks name: every pin of every platform, but for what is installed on none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The marker by which pyproject.toml keeps out what something else asks for.
NOWHERE = "sys_platform == 'never'"


class Pin(NamedTuple):
    """One package of a lock; `text` is its lines with marker and hashes."""

    name: str
    version: str
    text: str

    @property
    def is_hashed(self) -> bool:
        """Whether its file is known by its content."""
        return "--hash=sha256:" in self.text


def pins(lock: str) -> Iterator[Pin]:
    """In the lock's order. Raises ValueError for what is no pin: it would be asked about by nobody."""
    for text in re.split(r"\n(?=\S)", lock.strip()):
        found = re.match(r"([\w.-]+)==([^\s;]+)", text)
        if not found:
            raise ValueError(f"not a pin: {text.splitlines()[0]}")
        if NOWHERE not in text:
            yield Pin(*found.groups(), text)
