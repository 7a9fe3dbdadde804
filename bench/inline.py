"""The pipeline in one process without Celery: each ring is answered at once. For what is counted per threat, not timed per queue."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ar_workers.domain.canvas import Canvas, Queue, Ring, Step
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from bench import noop
from bench.threats import an_event

if TYPE_CHECKING:
    from collections.abc import Sequence


class InlineDoorbell:
    """`ports.Doorbell`: what is rung stands in a list until `answer` takes it."""

    def __init__(self) -> None:
        self._rung: deque[Step] = deque()

    def ring(self, rings: Sequence[Ring]) -> None:
        self._rung.extend(Step(ring=ring) for ring in rings)

    def play(self, score: Canvas) -> None:
        self._rung.extend(score.steps)

    def backlog(self) -> dict[str, int]:
        return {}

    def answer(self, services) -> None:
        while self._rung:
            step = self._rung.popleft()
            if step.ring.queue == Queue.RESPOND:
                respond(services, step.ring.ids)
            elif step.ring.queue == Queue.NOTIFY:
                deliver(services, step.ring.ids)
            else:
                execute(services, step.ring.ids, is_followed=bool(step.then))
            self._rung.extend(step.then)


class Inline:
    """Settles threats over the Redis at `url`."""

    def __init__(self, url: str) -> None:
        self._doorbell = InlineDoorbell()
        self.services = noop.services(url, self._doorbell)
        for (customer, vendor), edr in self.services.edrs.items():
            self.services.ledger.limit(customer, vendor, edr.limits)

    def settle(self, numbers: range) -> None:
        for number in numbers:
            ingest(self.services.ledger, self._doorbell, [an_event(number)])
            self._doorbell.answer(self.services)
