"""Who signs in at Redis, and what each may do there: its users as data, and as lines of its `users.acl`.

What is granted is what is used, key by key and command by command: a test compares it with the ledger's scripts, and others let each user
do its whole work and nothing else. No user may look through the keys, empty the server or set it up; `arctl` alone goes through keys, and
reads what was refused. Whatever runs as one of the ledger's users can still spoil the ledger, which is why orders are sealed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .canvas import Queue
from .verbs import CAP_WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class User(StrEnum):
    """A user of Redis."""

    #: Who publishes: `arctl ingest`, and the worker that polls.
    DOOR = "door"
    #: The worker that plans.
    RESPOND = "respond"
    #: The workers that carry out and tell.
    EXECUTE = "execute"
    #: The worker that sweeps.
    HOUSEKEEPING = "housekeeping"
    BEAT = "beat"
    FLOWER = "flower"
    #: Who types `arctl`, and `arctl up` itself.
    ARCTL = "arctl"


#: Who takes what is on a queue.
TAKES: Mapping[Queue, User] = {
    Queue.RESPOND: User.RESPOND,
    Queue.ISOLATION: User.EXECUTE,
    Queue.IOC: User.EXECUTE,
    Queue.NOTIFY: User.EXECUTE,
    Queue.HOUSEKEEPING: User.HOUSEKEEPING,
    Queue.POLLING: User.DOOR,
}
#: What rows, events and endpoints ring.
_RUNG = (Queue.RESPOND, Queue.ISOLATION, Queue.IOC, Queue.NOTIFY)
_ON_LEDGER = frozenset({User.DOOR, User.RESPOND, User.EXECUTE, User.HOUSEKEEPING, User.ARCTL})
_WORKERS = frozenset(TAKES.values())

#: A customer's keys, as `ledger/scripts/parts/keys.lua` has them, that whoever moves a row may have to write.
_MOVED = (
    "due*", "event:*", "threats", "threat:*", "row:*", "digest:*", "lane:*", "endpoint:*", "isolated", "indexed", "uncontained", "undone:*",
    "remote:*", "group:*", "settled", "held", "holds", "moves*", "once", *(f"{cap}*" for cap in CAP_WINDOWS),
)  # fmt: skip
#: How far feeds were read, and what of them could not be.
_OF_FEEDS = ("cursors*", "refused*")
_SWITCH = "paused"
_OWN = "ar:{*}:"
#: The ledger's keys that are no customer's, and that all of its users write.
_EVERYONES = ("ar:tick:*", "ar:first:*", "ar:format")
_CUSTOMERS, _EVERYONES_SWITCH, _POISON = "ar:customers", "ar:paused", "ar:poison*"

_LEDGER_COMMANDS = (
    "get mget set incrby exists del type pexpire time hget hset hdel hexists hmget hgetall hincrby hsetnx hkeys hlen hvals "
    "llen lrange ltrim lpush rpush "
    "sadd srem smembers scard zadd zcard zcount zpopmin zrange zrangebyscore zrem zremrangebyscore zrevrangebyscore zscore "
    "evalsha script|load"
)
#: How a cluster is found; MULTI for kombu's pipelines.
_ALL_COMMANDS = "info multi exec cluster|slots cluster|shards cluster|nodes"
_PUSH = "lpush rpush llen sadd"
_LISTEN = "psubscribe punsubscribe"
_WORK = f"brpop rpop lpush rpush llen ltrim type rename eval evalsha publish {_LISTEN}"
_ASK = "brpop rpop llen publish"
#: Kombu's own scripts: who is bound where, until when, and what of that is over.
_BIND = "del eval evalsha exists pexpire sadd script|exists script|load smembers srem time zadd zrange zrangebyscore zrem"

_BINDINGS = ("_kombu.binding.{}", "_kombu.binding_permanent.{}")
_ALL_BINDINGS, _DEADLINES = "_kombu.binding*", "_kombu.binding_deadlines"
_CONTROL, _REPLIES, _EVENTS = "celery.pidbox", "reply.celery.pidbox", "celeryev"


@dataclass(frozen=True)
class Grant:
    """What a user may do: with keys by their patterns, on channels, and by which commands."""

    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    commands: frozenset[str] = frozenset()


def grant(user: User, db: int = 0) -> Grant:
    """By kombu, channels have the number of the database in their names."""
    parts = [Grant(commands=frozenset(_ALL_COMMANDS.split()))]
    if user in _ON_LEDGER:
        parts.append(_on_ledger(user))
    if user in _WORKERS:
        parts.append(_works(user, db))
    if user in {User.ARCTL, User.FLOWER}:
        parts.append(_asks(user, db))
    if user is User.BEAT:
        queues = (Queue.HOUSEKEEPING, Queue.POLLING)
        parts.append(Grant((*_lists(*queues), *_bound(*queues)), commands=frozenset(_PUSH.split())))
    return Grant(
        tuple(dict.fromkeys(each for part in parts for each in part.writes)),
        tuple(dict.fromkeys(each for part in parts for each in part.reads)),
        tuple(dict.fromkeys(each for part in parts for each in part.channels)),
        frozenset(each for part in parts for each in part.commands),
    )


def _on_ledger(user: User) -> Grant:
    writes, reads = [_OWN + name for name in _MOVED], list[str]()
    (writes if user in {User.DOOR, User.ARCTL} else reads).extend([*(_OWN + name for name in _OF_FEEDS), _CUSTOMERS])
    (writes if user in {User.HOUSEKEEPING, User.ARCTL} else reads).extend([_OWN + _SWITCH, _EVERYONES_SWITCH])
    commands = f"{_LEDGER_COMMANDS} {'scan acl|log' if user is User.ARCTL else ''}"
    return Grant((*writes, *_EVERYONES, *_lists(*_RUNG)), tuple(reads), commands=frozenset(commands.split()))


def _works(user: User, db: int) -> Grant:
    """Its own queues; what it answers to whoever asks, and says of itself."""
    queues = [queue for queue, taker in TAKES.items() if taker is user]
    keys = (*_lists(*queues), _ALL_BINDINGS, f"*.{_CONTROL}", _POISON)
    channels = (f"/{db}.{_CONTROL}", f"/{db}.{_EVENTS}*")
    return Grant(keys, channels=channels, commands=frozenset(f"{_WORK} {_BIND}".split()))


def _asks(user: User, db: int) -> Grant:
    """Workers, what they do. Flower also listens to what they say of themselves."""
    keys = (*_bound(_CONTROL, _REPLIES, _EVENTS), _DEADLINES, f"*.{_REPLIES}")
    if user is User.ARCTL:
        return Grant((*keys, _POISON), _lists(*Queue), (f"/{db}.{_CONTROL}",), frozenset(f"{_ASK} {_BIND}".split()))
    channels = (f"/{db}.{_CONTROL}", f"/{db}.{_EVENTS}/*")
    return Grant((*keys, f"{_EVENTS}.*"), _lists(*Queue), channels, frozenset(f"{_ASK} {_BIND} {_LISTEN}".split()))


def _lists(*queues: Queue) -> tuple[str, ...]:
    """Stock kombu, and Flower, also have a list for each priority."""
    return tuple(f"{queue}*" for queue in queues)


def _bound(*exchanges: str) -> Iterator[str]:
    return (pattern.format(each) for each in exchanges for pattern in _BINDINGS)


def line(user: User, secret: str, *, db: int = 0, knows_reading: bool = True) -> str:
    """Of `users.acl`. `secret` is `#` and the SHA-256 of the password. Redis 6.2 knows no keys that are only read: there they may be
    written, too.
    """
    found = grant(user, db)
    read = "%R~" if knows_reading else "~"
    rules = [
        *(f"&{each}" for each in found.channels),
        *(f"~{each}" for each in found.writes),
        *(f"{read}{each}" for each in found.reads if each not in found.writes),
        # PING, SELECT, HELLO and what a client says of itself; not CLIENT KILL and PAUSE.
        *("-@all", "+@connection", "-@admin", "-@dangerous"),
        *(f"+{each}" for each in sorted(found.commands)),
    ]
    return f"user {user} reset on {secret} resetchannels {' '.join(rules)}"


def lines(secrets: Mapping[User, str], *, db: int = 0, knows_reading: bool = True) -> list[str]:
    """All of `users.acl`. Nobody comes in without a login."""
    return [*(line(user, secrets[user], db=db, knows_reading=knows_reading) for user in User), "user default reset off"]


def hashed(password: str) -> str:
    """As Redis keeps it. A password of ours has 256 random bits, which nobody finds again by trying."""
    return "#" + hashlib.sha256(password.encode()).hexdigest()
