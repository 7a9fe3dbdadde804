"""Backpressure: what keeps a flood, a slow vendor or a hung one from delaying everybody else. Four rules, each with what it was worth.

**Short queues.** In a queue that is full nobody rings for a flooding customer: the sweep does, in turns, some times a second. Of 1,000
events a second small tenants' p95 fell from 93 s to 5 s (`tests/chaos`, R10).

**Coalescing.** Behind a backlog one message rings many rows. With a message per row the whole pipeline does 1 / 3.46 of its threats a
second, with a message per isolation 1 / 1.46, with ten rows at most 1 / 1.20 (`python -m bench means`).

**Bulkheads.** A remote takes so many visits at once and no more. One hung tenant of twenty: the others' p95 is 1.00 times that of a calm
run (R9).

**Beset remotes.** Where many rows wait at a remote, the sweep rings for no more than it has empty places. Behind 100,000 bans of
another customer the p99 of an isolation fell from 1.97 to 1.34 times the idle one (`python -m bench latency`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .canvas import Canvas, Queue, Ring, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Messages. A queue that holds so many needs no waking: it is what the workers of a machine get through in one to three seconds if
#: nothing has to be waited for. An isolation that the sweep rings for costs more than one that is rung at once, hence so many.
FULL: Mapping[Queue, int] = {Queue.RESPOND: 30, Queue.ISOLATION: 800, Queue.IOC: 40, Queue.NOTIFY: 40}
#: Events and rows that a customer may have outstanding and still be rung for at once.
SMALL = 200

#: Messages. From so many in a queue on, with those that are to come, what is rung together shares messages.
BACKLOG = 20
#: Events or rows that one message rings at most: its worker visits them one after the other.
MOST_TOGETHER: Mapping[Queue, int] = {Queue.RESPOND: 10, Queue.ISOLATION: 10, Queue.IOC: 30, Queue.NOTIFY: 30}
#: Messages. Isolations share one only behind so many others, and one more for each time as many: by then the threads of a worker are
#: busy with several each, and one that is visited after others of its message comes hardly later than alone.
ISOLATIONS_AHEAD = 25

#: Visits at once to one customer's EDR or to one receiver, for containment and for everything else apart: fewer than a worker has threads.
MOST_VISITS = 16

#: Rows. With so many waiting at a remote each visit that leaves calls the next one, so that only its empty places need a ring.
BESET = 200


def room(standing: Mapping[str, int]) -> dict[str, int]:
    """How many more events or rows of each queue may be rung for, where so many messages stand."""
    messages = {queue: max(0, full - standing.get(queue, 0)) for queue, full in FULL.items()}
    return {str(queue): number * (1 if queue == Queue.ISOLATION else MOST_TOGETHER[queue]) for queue, number in messages.items()}


def left_to_the_sweep(standing: Mapping[str, int], outstanding: Callable[[], int]) -> frozenset[str]:
    """The queues on which nobody rings for new work of a customer with so much outstanding, which is asked only where one is full."""
    full = frozenset(queue for queue, left in room(standing).items() if not left)
    return full if full and outstanding() >= SMALL else frozenset()


def share(number: int, customers: int) -> int:
    """Of so many rings what each of the customers may have: all the same, and one if there is any."""
    return max(min(1, number), number // max(1, customers))


def coalesced(canvas: Canvas, standing: Mapping[str, int]) -> Canvas:
    """The canvas as it is or, where so many messages stand that a queue has a backlog, with as few as its order allows."""
    coming: dict[str, int] = {}
    for step in canvas.steps:
        coming[step.ring.queue] = coming.get(step.ring.queue, 0) + 1
    if all(standing.get(queue, 0) + number < BACKLOG for queue, number in coming.items()):
        return canvas
    isolations = min(1 + standing.get(Queue.ISOLATION, 0) // ISOLATIONS_AHEAD, MOST_TOGETHER[Queue.ISOLATION])
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
