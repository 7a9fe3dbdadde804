"""The Celery app, and the doorbell that rings by task name. A message carries one id and nothing else."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from celery import Celery, Signature, group
from kombu.exceptions import OperationalError
from redis import RedisError

from .domain.rows import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from .domain.rows import Ring, Score, Step

_log = logging.getLogger(__name__)

#: Which task answers a ring on which queue.
TASKS: dict[str, str] = {
    Queue.RESPOND: "ar_workers.tasks.respond",
    Queue.ISOLATION: "ar_workers.tasks.isolate",
    Queue.IOC: "ar_workers.tasks.act",
    Queue.NOTIFY: "ar_workers.tasks.deliver",
}


def celery_at(broker_url: str | None = None) -> Celery:
    """An app of ours on this broker; by default the one that `celeryconfig` reads from the environment."""
    celery = Celery("ar_workers", set_as_current=broker_url is None)
    celery.config_from_object("celeryconfig")
    if broker_url:
        celery.conf.broker_url = broker_url
    return celery


app = celery_at()


@Signature.register_type(name="pipelined_group")
class PipelinedGroup(group):
    """A group of immutable signatures whose messages leave in one pipeline, wherever it is played."""

    def __init__(self, *tasks: Any, **options: Any) -> None:
        super().__init__(*tasks, **options)
        self.subtask_type = "pipelined_group"

    def apply_async(self, args: Any = None, kwargs: Any = None, *, producer: Any = None, **options: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Send every task; `root_id` and `parent_id` let Flower draw the tree."""
        family = {name: options[name] for name in ("root_id", "parent_id") if name in options}
        with self.app.producer_or_acquire(producer) as sender, _one_pipeline(sender):
            for task in self.tasks:
                task.apply_async(producer=sender, retry=False, **family)


def _one_pipeline(producer: Any) -> AbstractContextManager[None]:
    """Our transport's batch; stock Redis sends message by message."""
    batch: Callable[[], AbstractContextManager[None]] = getattr(producer.channel, "batch", nullcontext)
    return batch()


class CeleryDoorbell:
    """`ports.Doorbell`. A broker that is away costs latency: the sweep rings again."""

    def __init__(self, celery: Celery = app) -> None:
        self._app = celery

    def ring(self, rings: Sequence[Ring]) -> None:
        """One message each, over one connection."""
        if rings:
            self._send([self._signature(ring) for ring in rings])

    def play(self, score: Score) -> None:
        """The whole threat as one canvas: chains of isolation and group, beside the deliveries."""
        self._send([self._canvas(step) for step in score.steps])

    def _canvas(self, step: Step) -> Signature:
        """`chain(task, group(what follows))`, written the way a chain travels: it need not be cloned and frozen first."""
        signature = self._signature(step.ring)
        if step.then:
            signature.options["chain"] = [PipelinedGroup([self._canvas(each) for each in step.then], app=self._app)]
        return signature

    def backlog(self) -> dict[str, int]:
        """One look at the length of every queue's list; what cannot be read counts as empty."""
        try:
            with self._app.connection_for_write() as connection:
                channel = connection.default_channel
                return {name: channel._size(name) for name in TASKS}  # noqa: SLF001 - kombu shows a queue's length nowhere else without declaring it
        except (OperationalError, RedisError, OSError):
            return {}

    def _signature(self, ring: Ring) -> Signature:
        return self._app.signature(
            TASKS[ring.queue],
            args=(ring.id,),
            immutable=True,
            options={"queue": str(ring.queue), "argsrepr": ring.label, "kwargsrepr": ""},
        )

    def _send(self, canvases: Sequence[Signature]) -> None:
        try:
            with self._app.producer_pool.acquire(block=True, timeout=5) as producer, _one_pipeline(producer):
                for canvas in canvases:
                    canvas.apply_async(producer=producer, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            _log.warning("the doorbell is out of order (%s): the sweep will ring", type(error).__name__)
