"""What is rung, and in which order it is drawn: the canvas of a threat, as values.

They are made dozens of times per threat of what is valid already, so they are dataclasses: nothing is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """The Celery queues. Isolation has its own, so that no backlog elsewhere delays a containment; and so has what reads vendors by the
    clock, so that those who hang keep no sweep waiting.
    """

    RESPOND = "respond"
    ISOLATION = "isolation"
    IOC = "ioc"
    NOTIFY = "notify"
    HOUSEKEEPING = "housekeeping"
    POLLING = "polling"


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A doorbell to be rung: which row (or event) on which queue, and the human line that operators see.

    `more` are further ids that the same message rings, when a backlog stands. What has waited for its turn at an endpoint or a
    remote, or was in a lost worker's hand, `is_first`: it goes to the head of the queue.
    """

    id: str
    queue: Queue
    label: str = ""
    lane: str = ""
    more: tuple[str, ...] = ()
    is_first: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """All that is rung."""
        return (self.id, *self.more)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A ring, and what follows once its task has run."""

    ring: Ring
    then: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A threat's canvas: what is played side by side."""

    steps: tuple[Step, ...] = ()
