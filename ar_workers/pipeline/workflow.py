"""The picture of a threat: what is not settled, as the canvas that Celery plays and operators watch."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..domain.canvas import Canvas, Queue, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.canvas import Ring
    from ..ports import Ledger


def workflow(ledger: Ledger, customer: str, threat_id: str) -> Canvas:
    """The unsettled rows of a threat as a canvas: `chain(isolate, group(its IOC actions))` beside the deliveries.

    `respond`, `sweep` and `requeue` all resume a threat this way. The canvas only draws the order; the ledger keeps it.
    """
    return arrange(ledger.unsettled(customer, threat_id))


def arrange(rings: Sequence[Ring]) -> Canvas:
    """One chain per isolation: `isolate`, then its endpoint's IOC actions, of which those that wait for a kill follow it.

    A tenant-wide ban is drawn behind the first isolation, which comes first, but does not depend on it: an isolation
    that has to be retried holds no ban back.
    """
    heads = [ring for ring in rings if ring.queue == Queue.ISOLATION]
    behind: defaultdict[str, list[Ring]] = defaultdict(list)
    beside = []
    for ring in rings:
        head = _head_of(ring, heads)
        if head:
            behind[head.id].append(ring)
        elif ring.queue != Queue.ISOLATION:
            beside.append(ring)
    chains = [Step(ring=head, then=_group(behind[head.id])) for head in heads]
    return Canvas(steps=(*chains, *(Step(ring=ring) for ring in beside)))


def _head_of(ring: Ring, heads: Sequence[Ring]) -> Ring | None:
    if ring.queue != Queue.IOC or not heads:
        return None
    if not ring.lane:
        return heads[0]
    return next((head for head in heads if head.lane == ring.lane), None)


def _group(rings: Sequence[Ring]) -> tuple[Step, ...]:
    """The group behind an isolation; what waits for a kill stands behind the last one."""
    kills = [ring for ring in rings if ":kill_process:" in ring.id]
    waiting = [ring for ring in rings if kills and ring.lane and ring not in kills]
    last = kills[-1:]
    first = [ring for ring in rings if ring not in waiting and ring not in last]
    return (*(Step(ring=ring) for ring in first), *(Step(ring=ring, then=tuple(Step(ring=each) for each in waiting)) for ring in last))
