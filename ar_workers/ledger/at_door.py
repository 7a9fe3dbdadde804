"""What is offered to the ledger is written down at the door before, and what it did not take after that."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..domain.errors import LedgerUnavailable, RecordUnusable
from ..domain.events import Own
from ..domain.rows import Acceptance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..domain.events import Event
    from ..ports import Door
    from .scripting import Call


@contextmanager
def at_the_door(door: Door | None, events: Sequence[Event], calls: Sequence[Call]) -> Iterator[list[Acceptance]]:
    """Inside, the answers are filled in. Raises RecordUnusable, and nothing was offered, where it cannot be written down.

    What the service says of itself comes through no door.
    """
    answers: list[Acceptance] = []
    published = [not isinstance(event, Own) for event in events]
    if door is None or not any(published):
        yield answers
        return
    pairs = list(zip(events, calls, published, strict=True))
    door.offered([(customer, event.id, event.type, *map(str, said[1:3])) for event, (_, customer, said), is_in in pairs if is_in])
    try:
        yield answers
    except LedgerUnavailable:
        _refused(door, [event for event, _, is_in in pairs if is_in], "the ledger was away")
        raise
    _refused(
        door,
        [event for (event, _, is_in), answer in zip(pairs, answers, strict=True) if is_in and answer is Acceptance.CONFLICT],
        "another content",
    )


def _refused(door: Door, events: Sequence[Event], why: str) -> None:
    """If this cannot be written any more, people are told of an event that is missing: its publisher knows it."""
    with contextlib.suppress(RecordUnusable):
        door.refused([(event.customer, event.id) for event in events], why)
