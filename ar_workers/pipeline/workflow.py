"""The picture of a threat: what is not settled, as the canvas that Celery plays and operators watch."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..domain.rows import Queue, Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.rows import Ring
    from ..ports import Ledger


def workflow(ledger: Ledger, customer: str, threat_id: str) -> Score:
    """The unsettled rows of a threat as a score: `chain(isolate, group(its IOC actions))` beside the deliveries.

    `respond`, `sweep` and `requeue` all resume a threat this way. The score only draws the order; the ledger keeps it.
    """
    return arrange(ledger.unsettled(customer, threat_id))


def arrange(rings: Sequence[Ring]) -> Score:
    """One chain per isolation; an IOC action follows its endpoint's isolation, a tenant-wide ban the first one.

    A ban is drawn behind the isolation, which comes first, but does not depend on it: an isolation that has to be
    retried holds no ban back.
    """
    heads = [ring for ring in rings if ring.queue == Queue.ISOLATION]
    followers: defaultdict[str, list[Ring]] = defaultdict(list)
    beside = []
    for ring in rings:
        head = _head_of(ring, heads)
        if head:
            followers[head.id].append(ring)
        elif ring.queue != Queue.ISOLATION:
            beside.append(ring)
    return Score(chains=tuple((head, tuple(followers[head.id])) for head in heads), beside=tuple(beside))


def _head_of(ring: Ring, heads: Sequence[Ring]) -> Ring | None:
    if ring.queue != Queue.IOC or not heads:
        return None
    if not ring.lane:
        return heads[0]
    return next((head for head in heads if head.lane == ring.lane), None)
