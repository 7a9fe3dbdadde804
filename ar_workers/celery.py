"""The Celery app, and the doorbell that rings by task name. A message carries one id and nothing else."""

from __future__ import annotations

import logging
import time
import uuid
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from celery import Celery, Signature, group
from celery.signals import worker_init
from kombu.exceptions import OperationalError
from redis import RedisError

from .brokers import broker_at
from .domain.backpressure import coalesced
from .domain.canvas import Canvas, Queue, Step
from .domain.checkups import Check, ok, red
from .domain.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from .domain.canvas import Ring

_log = logging.getLogger(__name__)
#: Seconds after which what was last seen of the queues is looked at again.
OLD = 0.2
#: Of what Flower shows: a message carries ids, and what they are stands whole in the ledger.
LONGEST_LINE = 200

#: Which task answers a ring on which queue.
TASKS: dict[str, str] = {
    Queue.RESPOND: "ar_workers.tasks.respond",
    Queue.ISOLATION: "ar_workers.tasks.isolate",
    Queue.IOC: "ar_workers.tasks.act",
    Queue.NOTIFY: "ar_workers.tasks.deliver",
}


def celery_at(broker_url: str | None = None) -> Celery:
    """An app of ours on this broker; by default the one that `celeryconfig` reads from the environment.

    It is read by its link in this package: a `celeryconfig` of somebody else's in the current folder would come first.
    """
    celery = Celery("ar_workers", set_as_current=broker_url is None)
    celery.config_from_object("ar_workers._celeryconfig")
    if broker_url:
        celery.conf.update(broker_at(broker_url))
    return celery


app = celery_at()

#: What a worker may be asked by whoever reaches the broker: what it is and what it does. `enable_events`, which Flower asks for
#: every few seconds, switches on what our workers do anyway (-E). Not even `hello` stays: it takes over a list of revoked tasks.
LOOKS = frozenset({
    "active", "active_queues", "clock", "conf", "enable_events", "heartbeat", "ping", "query_task", "registered", "report", "reserved",
    "revoked", "scheduled", "stats",
})  # fmt: skip


@worker_init.connect
def keep_only_what_looks(**_: Any) -> None:
    """Take Celery's remote control from the broker: it would end workers, and take queues and tasks from them."""
    from celery.worker.control import Panel  # noqa: PLC0415 - a worker's module, which no other process needs

    for name in set(Panel.data) - LOOKS:
        del Panel.data[name]
    Panel.data["stats"] = partial(_without_login, Panel.data["stats"])


def _without_login(stats: Callable[..., dict[str, Any]], state: Any, **asked: Any) -> dict[str, Any]:
    """Celery masks the broker's password, but not where it stands in a socket's address or in what is for sentinels."""
    said = stats(state, **asked)
    broker = said.get("broker")
    return {**said, "broker": {"transport": broker.get("transport")}} if isinstance(broker, dict) else said


@Signature.register_type(name="pipelined_group")
class PipelinedGroup(group):
    """A group of immutable signatures whose messages leave in one pipeline, wherever it is played."""

    def __init__(self, *tasks: Any, **options: Any) -> None:
        super().__init__(*tasks, **options)
        self.subtask_type = "pipelined_group"

    def apply_async(self, args: Any = None, kwargs: Any = None, *, producer: Any = None, **options: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Send every task; `root_id` and `parent_id` let Flower draw the tree."""
        family: dict[str, Any] = {name: options[name] for name in ("root_id", "parent_id") if name in options}
        with self.app.producer_or_acquire(producer) as sender, _one_pipeline(sender):
            for task in self.tasks:
                _publish(self.app, sender, task, family)


def _publish(celery: Celery, producer: Any, signature: Mapping[str, Any], family: Mapping[str, Any]) -> None:
    """What `Signature.apply_async` comes to for ours, which have no result, no ETA, no routing: a third of its cost."""
    task_id = str(uuid.uuid4())
    options = signature["options"]
    message = celery.amqp.as_task_v2(
        task_id,
        signature["task"],
        signature["args"],
        {},
        argsrepr=options["argsrepr"],
        kwargsrepr="",
        chain=options.get("chain"),
        **{"root_id": task_id, **family},
    )
    queue = options["queue"]
    producer.publish(
        message.body,
        exchange="",
        routing_key=queue,
        serializer="json",
        delivery_mode=2,
        headers=message.headers,
        priority=options["priority"],
        **message.properties,
    )


def _one_pipeline(producer: Any) -> AbstractContextManager[dict[str, int] | None]:
    """Our transport's batch, which learns how long each queue is; stock Redis sends message by message and learns nothing."""
    batch: Callable[[], AbstractContextManager[dict[str, int] | None]] = getattr(producer.channel, "batch", nullcontext)
    return batch()


class CeleryDoorbell:
    """`ports.Doorbell`. A broker that is away costs latency: the sweep rings again."""

    def __init__(self, celery: Celery = app) -> None:
        self._app = celery
        self._standing: dict[str, int] = {}
        self._seen = float("-inf")

    def ring(self, rings: Sequence[Ring]) -> None:
        """One message each, or fewer when a backlog stands, over one connection."""
        self.play(Canvas(steps=tuple(Step(ring=ring) for ring in rings)))

    def play(self, canvas: Canvas) -> None:
        """The whole threat as one canvas: chains of isolation and group, beside the deliveries."""
        canvas = coalesced(canvas, self._standing)
        if canvas.steps:
            self._send([self._canvas(step) for step in canvas.steps])

    def _canvas(self, step: Step) -> dict[str, Any]:
        """`chain(task, group(what follows))`, written the way it travels."""
        ring = step.ring
        shown = shortened(ring.label, LONGEST_LINE)
        options: dict[str, Any] = {"queue": str(ring.queue), "argsrepr": shown, "priority": int(ring.is_first)}
        if step.then:
            follow = [self._canvas(each) for each in step.then]
            options["chain"] = [_signature("celery.group", (), {"tasks": follow}, {}, subtask_type="pipelined_group")]
        return _signature(TASKS[ring.queue], ring.ids, {}, options)

    def backlog(self) -> dict[str, int]:
        """The length of every queue as the last rings found it, or by a look if that is old; what cannot be read is empty."""
        if time.monotonic() - self._seen > OLD:
            self._standing, self._seen = self._lengths(), time.monotonic()
        return dict(self._standing)

    def _lengths(self) -> dict[str, int]:
        try:
            with self._app.producer_pool.acquire(block=True, timeout=5) as producer:
                size = producer.channel._size  # noqa: SLF001 - kombu shows a queue's length nowhere else without declaring it
                return {name: size(name) for name in TASKS}
        except (OperationalError, RedisError, OSError):
            return {}

    def _send(self, canvases: Sequence[Mapping[str, Any]]) -> None:
        try:
            with self._app.producer_pool.acquire(block=True, timeout=5) as producer, _one_pipeline(producer) as lengths:
                for canvas in canvases:
                    _publish(self._app, producer, canvas, {})
            self._standing.update(lengths or {})
        except (OperationalError, RedisError, OSError) as error:
            _log.warning("the doorbell is out of order (%s): the sweep will ring", type(error).__name__)


def _signature(
    task: str, args: tuple[str, ...], kwargs: dict[str, Any], options: dict[str, Any], *, subtask_type: str | None = None
) -> dict[str, Any]:
    """A `celery.Signature` as plain JSON."""
    return {"task": task, "args": args, "kwargs": kwargs, "options": options, "subtask_type": subtask_type, "immutable": True}


def workers_seen(celery: Celery) -> Check:
    """By asking all for their queues, which every worker that takes messages answers; each queue must have one.

    Over a connection of its own: one of the pool may have been lost since it was last used, and would say so only now.
    """
    fix = "start workers with `arctl up` or celery"
    try:
        with celery.connection_for_write() as own:
            queues: dict[str, list[dict[str, Any]]] = celery.control.inspect(timeout=2.0, connection=own).active_queues() or {}
    except (OperationalError, RedisError, OSError) as error:
        return red("workers", f"the broker does not answer ({type(error).__name__})", "check AR_BROKER_URL or AR_REDIS_URL")
    if not queues:
        return red("workers", "none answers", fix)
    worked_on = {each["name"] for some in queues.values() for each in some}
    left = [queue for queue in Queue if queue not in worked_on]
    if left:
        return red("workers", f"none works on {', '.join(left)}", fix)
    return ok("workers", f"{len(queues)} answer: {', '.join(sorted(queues))}")
