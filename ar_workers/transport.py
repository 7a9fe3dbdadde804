"""A kombu Redis transport for doorbells: it takes messages in batches, keeps its client, and survives poison.

Stock kombu takes one message per round trip and event-loop turn, builds a Redis client for every publish, and ends the
worker when a list holds something that is not JSON. This subclass
- takes, after the first message that a blocking pop brings, as many more as the prefetch allows in one script, and
  comes again only when half of them are in hand: a busy worker would otherwise fetch one by one;
- keeps one client per channel, and sends what is published inside `batch()` in one pipeline;
- puts what has a priority to the head of its queue;
- sets a message that cannot be read aside in `ar:poison`, with its queue and the reason, and goes on; a queue whose key
  is no list is moved to `ar:poison:QUEUE`;
- visits the queues of one worker in turn and takes a share of each.
There is no acknowledgement: a message that dies with its worker is rung again by the sweep, because the ledger is the record.
A worker that ends in order gives back what it has fetched and not begun. A blocking peek (`BLMOVE q q RIGHT RIGHT`) would lose
the first message less, but not those fetched behind it; it waits for one list only; and it wakes every worker: measured with
three idle ones 6.0 round trips per message instead of 2.0, and no difference (0.13) when a backlog stands. So: a pop.
It leans on kombu's `_brpop_read`, `_queue_cycle`, `_size`, `_put` and `conn_or_acquire`, hence the pin on kombu's minor version.
`AR_TRANSPORT=stock` switches back.
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import contextmanager, suppress
from queue import Empty
from typing import TYPE_CHECKING, Any

from kombu.exceptions import OperationalError
from kombu.transport import redis, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads
from redis import ConnectionError as RedisConnectionError
from redis import RedisError

from .domain.checkups import Check, ok, red, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kombu.connection import Connection

_log = logging.getLogger(__name__)
POISON = "ar:poison"
MOST_POISON = 1_000
#: However large the prefetch, one script takes no more.
LARGEST_BATCH = 100

# Each queue may give an equal share of what is still wanted. One that is no list gives nothing, and costs nothing that
# another gave; BRPOP will complain of it.
_TAKE = """
local taken, left = {}, tonumber(ARGV[1])
for n, queue in ipairs(KEYS) do
  local share = math.ceil(left / (#KEYS - n + 1))
  local found = share > 0 and redis.pcall('RPOP', queue, share) or {}
  for _, raw in ipairs(found) do
    taken[#taken + 1] = queue
    taken[#taken + 1] = raw
    left = left - 1
  end
end
return taken
"""
# Returns the keys that were no lists and have been moved out of the way, with their types.
_MOVE_AWAY = """
local moved = {}
for _, queue in ipairs(KEYS) do
  local kind = redis.call('TYPE', queue).ok
  if kind ~= 'list' and kind ~= 'none' then
    redis.call('RENAME', queue, ARGV[1] .. ':' .. queue)
    moved[#moved + 1] = queue
    moved[#moved + 1] = kind
  end
end
return moved
"""


class QoS(virtual.QoS):
    """The prefetch, used up and refilled by halves. What a thread works on does not count, so that none has to wait."""

    _is_full = False

    def can_consume(self) -> bool:
        """Once the prefetch is used up, not before half of it has gone to the pool."""
        room, most = self.can_consume_max_estimate(), self.prefetch_count
        self._is_full = room is not None and (room == 0 or (self._is_full and room * 2 < most))
        return not self._is_full


class Channel(redis.Channel):
    """See the module."""

    ack_emulation = False
    #: One list per queue: what outranks the rest has a queue of its own.
    priority_steps = [0]  # noqa: RUF012 - kombu's type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: Any = None
        self._batched: list[tuple[str, str, str]] | None = None
        super().__init__(*args, **kwargs)
        if not self.ack_emulation:
            self.QoS = QoS  # type: ignore[assignment] # kombu puts a `virtual.QoS` there itself

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """The one client of this channel; it is not used by two threads at once, no more than the channel is."""
        if client is None and self._kept is None:
            self._kept = self._create_client()
        yield client or self._kept

    @contextmanager
    def batch(self) -> Iterator[dict[str, int]]:
        """What is published inside is sent in one pipeline at the end. After an error nothing of it is sent.

        What it gives out is filled at the end with the length of each queue that was published to.
        """
        if self._batched is not None:  # within another batch, which sends it all
            yield {}
            return
        lengths: dict[str, int] = {}
        self._batched = []
        try:
            yield lengths
            batched = self._batched
        finally:
            self._batched = None
        if batched:
            with self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
                for push, key, payload in batched:
                    getattr(pipe, push)(key, payload)
                lengths.update(zip((key for _, key, _ in batched), pipe.execute(), strict=True))

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        if self._batched is None:
            super()._put(queue, message, **kwargs)
        else:
            priority = self._get_message_priority(message, reverse=False)
            self._batched.append(("rpush" if priority else "lpush", self._q_for_pri(queue, priority), dumps(message)))

    def _brpop_read(self, **options: Any) -> bool:
        """The message that the blocking pop brought, then a batch of what stands behind it."""
        try:
            popped = self._popped(options)
            if popped:
                queue = bytes_to_str(popped[0])
                self._queue_cycle.rotate(queue)
                self._hand_over(queue, popped[1])
                self._take_more()
                return True
        except self.ResponseError as error:
            self._make_way(self.active_queues, error)
        raise Empty

    def _popped(self, options: dict[str, Any]) -> Any:
        try:
            return self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        finally:
            self._in_poll = None  # type: ignore[assignment] # kombu puts a connection there
            self._flush_brpop_reauth()

    def _take_more(self) -> None:
        room = self.qos.can_consume_max_estimate()
        most = LARGEST_BATCH if room is None else min(room, LARGEST_BATCH)
        if most > 0:
            queues = self._queue_cycle.consume(len(self.active_queues))
            with self.conn_or_acquire() as client:
                flat = iter(client.eval(_TAKE, len(queues), *queues, most))
            for queue, raw in zip(flat, flat, strict=True):
                self._hand_over(bytes_to_str(queue), raw)

    def _hand_over(self, queue: str, raw: bytes | str) -> None:
        tag = None
        try:
            message = loads(bytes_to_str(raw))
            _check(self.Message(message, channel=self))  # built here to see that it can be: its body is decoded
            tag = message["properties"]["delivery_tag"]
            self.connection._deliver(message, queue)  # noqa: SLF001 - as the parent does
        except (RedisError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger pushed, it must not end the worker
            if isinstance(tag, str):
                self.qos.ack(tag)  # else it would take up room for ever
            self._set_aside(queue, raw, type(error).__name__)

    def _size(self, queue: str) -> int:
        try:
            return int(super()._size(queue))
        except self.ResponseError as error:
            self._make_way([queue], error)
            return 0

    def _make_way(self, queues: list[str], error: Exception) -> None:
        """A queue that is no list is moved away. Any other complaint (a primary that is none any more) ends the connection."""
        if "WRONGTYPE" not in str(error):
            self.client.connection.disconnect()
            raise RedisConnectionError(str(error)) from None
        with self.conn_or_acquire() as client:
            moved = client.eval(_MOVE_AWAY, len(queues), *queues, POISON)
        names = iter(map(bytes_to_str, moved))
        for queue, kind in zip(names, names, strict=True):
            self._set_aside(queue, f"moved to {POISON}:{queue}", f"a {kind} instead of a list")

    def _set_aside(self, queue: str, raw: bytes | str, reason: str) -> None:
        _log.warning("what stood in %s is no message (%s): see %s", queue, reason, POISON)
        shown = raw[:2000] if isinstance(raw, str) else raw[:2000].decode("utf-8", "replace")
        entry = {"queue": queue, "at": time.time(), "error": reason, "raw": shown}
        # A full Redis, or a stranger's `ar:poison`, must not end the worker either: then the log has to do.
        with suppress(self.ResponseError), self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            pipe.lpush(POISON, json.dumps(entry)).ltrim(POISON, 0, MOST_POISON - 1).execute()

    def _disconnect_pools(self) -> None:
        self._kept = None
        super()._disconnect_pools()


_TEXTS = ("task", "id", "root_id", "parent_id", "group", "argsrepr", "kwargsrepr", "shadow")
_ABSENT: dict[str, Any] = {"eta": None, "expires": None, "timelimit": [None, None], "stamped_headers": None}


def _check(message: Any) -> None:
    """Raise ValueError for headers on which Celery's consumer would end its worker: it believes whatever they say.

    A task of ours has an id, and neither a time nor a limit.
    """
    headers = message.headers if isinstance(message.headers, dict) else {}
    if not all(isinstance(headers.get(name), str | None) for name in _TEXTS):
        raise ValueError("a header that is a text is none")
    if "task" in headers and not (headers["task"] and headers.get("id")):
        raise ValueError("has no task, or no id")
    odd = [name for name, absent in _ABSENT.items() if headers.get(name, absent) != absent]
    if odd or not isinstance(headers.get("retries", 0), int):
        raise ValueError("carries a time or a limit, as no message of ours does")


#: While a worker starts or reconnects, Celery meets a lost connection under kombu's own name, and would end.
_CONNECTION_ERRORS = (*redis.Transport.connection_errors, OperationalError)


class Transport(redis.Transport):
    """Stock Redis, with our channel."""

    Channel = Channel
    connection_errors = _CONNECTION_ERRORS


class SentinelChannel(Channel, redis.SentinelChannel):
    """Our channel on the primary that the sentinels name."""


class SentinelTransport(redis.SentinelTransport):
    """Stock Sentinel, with our channel."""

    Channel = SentinelChannel
    connection_errors = _CONNECTION_ERRORS


def set_aside(connection: Connection) -> Check:
    """How many messages nobody could read: an operator looks who pushes them."""
    try:
        with connection, connection.channel() as channel:
            number = channel.client.llen(POISON)
    except (OperationalError, RedisError, OSError) as error:
        return red("poison", f"cannot be told: the broker does not answer ({type(error).__name__})")
    if not number:
        return ok("poison", "none")
    return warn("poison", f"{number} messages were set aside", f"look who sends them: `LRANGE {POISON} 0 9`")
