"""A kombu Redis transport for doorbells: it takes messages in batches, keeps its client, and survives poison.

Stock kombu takes one message per round trip and event-loop turn, builds a Redis client for every publish, and ends the
worker when a list holds something that is not JSON. This subclass
- takes, after the first message that a blocking pop brings, as many more as the prefetch allows in one script;
- keeps one client per channel, and sends what is published inside `batch()` in one pipeline;
- sets a message that cannot be read aside in `ar:poison`, with its queue, and goes on; what stands under a queue's name and
  is no list is renamed to `ar:poison:QUEUE`.
There is no acknowledgement: a message that dies with its worker is rung again by the sweep, because the ledger is the record.
It leans on kombu's `_brpop_read`, `_put` and `conn_or_acquire`, hence the pin on kombu's minor version.
`AR_TRANSPORT=stock` switches back.
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import contextmanager, suppress
from queue import Empty
from typing import TYPE_CHECKING, Any

import redis as client_library
from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
POISON = "ar:poison"
MOST_POISON = 1_000
#: However large the prefetch, one script takes no more.
LARGEST_BATCH = 100

_TAKE = """
local taken, left = {}, tonumber(ARGV[1])
for _, queue in ipairs(KEYS) do
  local found = left > 0 and redis.call('RPOP', queue, left) or {}
  for _, raw in ipairs(found or {}) do
    taken[#taken + 1] = queue
    taken[#taken + 1] = raw
    left = left - 1
  end
end
return taken
"""


class Channel(redis.Channel):
    """See the module."""

    ack_emulation = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: Any = None
        self._batched: list[tuple[str, str]] | None = None
        super().__init__(*args, **kwargs)

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
                for key, payload in batched:
                    pipe.lpush(key, payload)
                lengths.update(zip((key for key, _ in batched), pipe.execute(), strict=True))

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        if self._batched is None:
            super()._put(queue, message, **kwargs)
        else:
            self._batched.append((self._q_for_pri(queue, self._get_message_priority(message, reverse=False)), dumps(message)))

    def _brpop_read(self, **options: Any) -> bool:
        """The message that the blocking pop brought, then a batch of what stands behind it."""
        try:
            popped = self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        except client_library.ResponseError:
            self._set_queues_aside()
            raise Empty from None
        finally:
            self._in_poll = None  # type: ignore[assignment] # kombu puts a connection there
        if not popped:
            raise Empty
        self._hand_over(bytes_to_str(popped[0]), popped[1])
        self._take_more()
        return True

    def _take_more(self) -> None:
        room = self.qos.can_consume_max_estimate()
        most = LARGEST_BATCH if room is None else min(room, LARGEST_BATCH)
        if most > 0:
            try:
                with self.conn_or_acquire() as client:
                    flat = iter(client.eval(_TAKE, len(self.active_queues), *self.active_queues, most))
            except client_library.ResponseError:
                self._set_queues_aside()
                return
            for queue, raw in zip(flat, flat, strict=True):
                self._hand_over(bytes_to_str(queue), raw)

    def _hand_over(self, key: str, raw: bytes | str) -> None:
        queue = key.rsplit(self.sep, 1)[0]
        try:
            message = loads(bytes_to_str(raw))
            _check(self.Message(message, channel=self))  # built here to see that it can be: its body is decoded
        except Exception as error:  # noqa: BLE001 - whatever a stranger pushed, it must not end the worker
            self._set_aside(queue, raw, error)
            return
        self.connection._deliver(message, queue)  # noqa: SLF001 - as the parent does

    def _set_aside(self, queue: str, raw: bytes | str, error: Exception) -> None:
        shown = raw[:2000] if isinstance(raw, str) else raw[:2000].decode("utf-8", "replace")
        entry = {"queue": queue, "at": time.time(), "error": type(error).__name__, "raw": shown}
        try:
            with self.conn_or_acquire() as client:
                client.lpush(POISON, json.dumps(entry))
                client.ltrim(POISON, 0, MOST_POISON - 1)
        except client_library.ResponseError:
            _log.exception("%s is no list: what came by %s is dropped", POISON, queue)

    def _set_queues_aside(self) -> None:
        """A stranger put something else under a queue's name: the sweep rings again what had stood there."""
        with self.conn_or_acquire() as client:
            for queue in self.active_queues:
                with suppress(client_library.ResponseError):  # another worker was quicker
                    if bytes_to_str(client.type(queue)) not in {"list", "none"}:
                        client.rename(queue, f"{POISON}:{queue}")
                        _log.error("the queue %s was no list: it is kept as %s:%s", queue, POISON, queue)

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


class Transport(redis.Transport):
    """Stock Redis, with our channel."""

    Channel = Channel
