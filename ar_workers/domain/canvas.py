"""What is rung, and in which order it is drawn: the canvas of a threat, as values.

They are made dozens of times per threat of what is valid already, so they are dataclasses: nothing is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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


#: So many one message of each queue rings at most: its worker visits them one after the other.
MOST_TOGETHER: Mapping[Queue, int] = {Queue.RESPOND: 10, Queue.ISOLATION: 10, Queue.IOC: 30, Queue.NOTIFY: 30}


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


def share(number: int, customers: int) -> int:
    """Of so many rings what each of the customers may have: all the same, and one if there is any."""
    return max(min(1, number), number // max(1, customers))


def coalesced(canvas: Canvas, *, isolations: int = 1) -> Canvas:
    """The same canvas with as few messages as its order allows: what is rung together on one queue is one message, of
    isolations so many.
    """
    return Canvas(steps=_merged(canvas.steps, {**MOST_TOGETHER, Queue.ISOLATION: isolations}))


def _merged(steps: Sequence[Step], most: Mapping[Queue, int]) -> tuple[Step, ...]:
    """What follows a merged step is rung with it, because its worker goes on with what it frees; only what follows isolations
    stays behind them.
    """
    heads = [step for step in steps if step.ring.queue == Queue.ISOLATION]
    rest = [Step(ring=ring) for step in steps if step.ring.queue != Queue.ISOLATION for ring in _flat(step)]
    alike: dict[tuple[Queue, str, bool], list[Step]] = {}
    for step in (*heads, *rest):
        alike.setdefault((step.ring.queue, step.ring.id.partition(":")[0], step.ring.is_first), []).append(step)
    chunks = (found[start : start + most[queue]] for (queue, *_), found in alike.items() for start in range(0, len(found), most[queue]))
    return tuple(
        Step(ring=_joined([step.ring for step in some]), then=_merged([each for step in some for each in step.then], most))
        for some in chunks
    )


def _flat(step: Step) -> list[Ring]:
    return [step.ring, *(ring for each in step.then for ring in _flat(each))]


def _joined(rings: list[Ring]) -> Ring:
    first = rings[0]
    if len(rings) == 1:
        return first
    more = tuple(name for ring in rings for name in ring.ids)[1:]
    return replace(first, more=more, label=f"{first.label} and {len(more)} more")
