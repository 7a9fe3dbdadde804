"""What is rung, and in which order it is drawn: the canvas of a threat, as values.

They are made dozens of times per threat of what is valid already, so they are dataclasses: nothing is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

#: One message rings no more: its worker visits them one after the other.
MOST_TOGETHER = 10


class Queue(StrEnum):
    """The Celery queues. Isolation has its own, so that no backlog elsewhere delays a containment."""

    RESPOND = "respond"
    ISOLATION = "isolation"
    IOC = "ioc"
    NOTIFY = "notify"
    HOUSEKEEPING = "housekeeping"


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
class Score:
    """A threat's canvas: what is played side by side."""

    steps: tuple[Step, ...] = ()


def share(number: int, customers: int) -> int:
    """Of so many rings what each of the customers may have: all the same, and one if there is any."""
    return max(min(1, number), number // max(1, customers))


def coalesced(score: Score) -> Score:
    """The same score with as few messages as its order allows: what is rung together on one queue is one message."""
    return Score(steps=_merged(score.steps))


def _merged(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Isolations stay alone; what follows a merged step is rung with it, because its worker goes on with what it frees."""
    heads = [Step(ring=step.ring, then=_merged(step.then)) for step in steps if step.ring.queue == Queue.ISOLATION]
    rest = [ring for step in steps if step.ring.queue != Queue.ISOLATION for ring in _flat(step)]
    by_queue: dict[tuple[Queue, str, bool], list[Ring]] = {}
    for ring in rest:
        by_queue.setdefault((ring.queue, ring.id.partition(":")[0], ring.is_first), []).append(ring)
    chunks = (rings[start : start + MOST_TOGETHER] for rings in by_queue.values() for start in range(0, len(rings), MOST_TOGETHER))
    return (*heads, *(Step(ring=_joined(rings)) for rings in chunks))


def _flat(step: Step) -> list[Ring]:
    return [step.ring, *(ring for each in step.then for ring in _flat(each))]


def _joined(rings: list[Ring]) -> Ring:
    first = rings[0]
    if len(rings) == 1:
        return first
    more = tuple(name for ring in rings for name in ring.ids)[1:]
    return replace(first, more=more, label=f"{first.label} and {len(more)} more")
