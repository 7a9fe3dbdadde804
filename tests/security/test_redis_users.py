"""Each user of Redis can do its whole work, and none of another's."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import redis

from ar_workers.celery import TASKS, CeleryDoorbell, celery_at
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.canvas import Queue, Ring
from ar_workers.domain.checkups import Light
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.redis_users import TAKES, User, grant, lines
from ar_workers.domain.refusals import KeptRecord
from ar_workers.domain.states import State
from ar_workers.domain.verbs import CAP_WINDOWS
from ar_workers.ledger.checkup import checkup, is_swept
from ar_workers.ledger.clients import connect
from ar_workers.ledger.posture import posture
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import NAMES, source, whole
from ar_workers.pipeline import compaction, limits, pauses, reminders
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.heartbeat import Heartbeat
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.recheck import recheck_unsupported_os
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from ar_workers.transport import POISON
from tests.fakes import some_services
from tests.keys import SEALS
from tests.ledger.conftest import AT_ONCE
from tests.pipeline.building import an_edr, published, states
from tests.test_transport import taker
from tests.users import LOGINS, refused, url_of

ROOT = Path(__file__).parents[2]
ON_LEDGER = (User.DOOR, User.RESPOND, User.EXECUTE, User.HOUSEKEEPING, User.ARCTL)
WORKERS = tuple(dict.fromkeys(TAKES.values()))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("users"), private=True, logins=LOGINS) as server:
        yield server


@pytest.fixture
def clients(server):
    """One of each user."""
    with ExitStack() as stack:
        yield {user: stack.enter_context(redis.Redis.from_url(url_of(user, server.url), decode_responses=True)) for user in User}


def granted(user, *, writes=True):
    found = grant(user)
    return found.writes if writes else (*found.writes, *found.reads)


def may(patterns, key):
    return any(fnmatchcase(key, pattern.replace("[", "[[]")) for pattern in patterns)


SCRIPTS = [whole(name) for name in NAMES]
#: `P .. 'row:'`: what stands behind may be anything.
KEYS_IN_SCRIPTS = {name + ("x" if name.endswith(":") else "") for text in SCRIPTS for name in re.findall(r"\bP \.\. '([a-z:]+)'", text)}
#: The schema's own list, `threat:ID:rows` and so on.
KEYS_IN_SCHEMA = set(re.findall(r"^--   ([a-z]+[A-Za-z:/]*)", source("parts/keys"), re.MULTILINE))


def test_every_key_of_the_ledger_is_somebodys_to_write():
    assert len(KEYS_IN_SCRIPTS) > 15
    assert len(KEYS_IN_SCHEMA) > 25
    names = {*KEYS_IN_SCRIPTS, *KEYS_IN_SCHEMA, *CAP_WINDOWS, *(f"{cap}:dry" for cap in CAP_WINDOWS)}
    assert {name for name in names if not may(granted(User.ARCTL), f"ar:{{acme}}:{name}")} == set()


@pytest.mark.parametrize("user", ON_LEDGER)
def test_whoever_moves_rows_may_write_all_that_a_row_moves(user):
    """A script that may not write one key of many would leave half of it done: only these are read alone."""
    left = {name for name in KEYS_IN_SCRIPTS | KEYS_IN_SCHEMA if not may(granted(user), f"ar:{{acme}}:{name}")}
    assert {name.partition(":")[0] for name in left} <= {"paused", "cursors", "refused"}
    assert {name for name in left if not may(granted(user, writes=False), f"ar:{{acme}}:{name}")} == set()


@pytest.mark.parametrize("user", ON_LEDGER)
def test_whoever_is_on_the_ledger_may_give_every_command_of_its_scripts(user):
    used = {name.lower() for text in SCRIPTS for name in re.findall(r"redis\.p?call\('(\w+)'", text)}
    assert len(used) > 25
    assert used <= grant(user).commands


#: What redis-py calls otherwise than Redis, or what is its own.
OWN_NAMES = {"scan_iter": "scan", "acl_log": "acl|log", "script_load": "script|load", "pipeline": "multi", "execute": "exec"}
NO_COMMANDS = {"close", "execute_command", "ping", "get_nodes", "get_primaries"}


def test_whatever_the_ledger_asks_beside_its_scripts_somebody_may_ask():
    texts = [path.read_text() for path in (ROOT / "ar_workers" / "ledger").glob("*.py")]
    named = {name for text in texts for name in re.findall(r"\b(?:_redis|pipe|heads|client|asked)\.(\w+)\(", text)}
    named |= {name for text in texts for line in text.splitlines() if "pipe" in line for name in re.findall(r"\)\.([a-z]+)\(", line)}
    used = {OWN_NAMES.get(name, name) for name in named - NO_COMMANDS}
    assert len(used) > 20
    assert used <= grant(User.ARCTL).commands


class Roles:
    """The pipeline over one server, each part of it signed in as its own user."""

    def __init__(self, url):
        everyones = some_services(edr=an_edr())
        ledgers = {user: RedisLedger(connect(url_of(user, url)), seals=SEALS, **AT_ONCE) for user in ON_LEDGER}
        self.of = {
            user: replace(everyones, ledger=ledger, heartbeat=Heartbeat(ledger, timedelta(minutes=1))) for user, ledger in ledgers.items()
        }
        self.rings, self.edr = everyones.doorbell.rings, everyones.edrs["acme", "crowdstrike"]

    def answer(self):
        """Whoever takes a ring's queue works on it."""
        verbs = {"respond": respond, "notify": deliver}
        while self.rings:
            ring = self.rings.popleft()
            verbs.get(ring.queue, execute)(self.of[TAKES[ring.queue]], ring.ids)

    def sweep(self):
        """What beat rings for."""
        sweeping = self.of[User.HOUSEKEEPING]
        for task in (sweep, limits.declare_limits, compaction.compact, reminders.remind, pauses.end_pauses):
            task(sweeping)
        recheck_unsupported_os(self.of[User.DOOR], "acme", Vendor.CROWDSTRIKE)


@pytest.fixture
def roles(server):
    with connect(server.url) as client:
        for key in client.scan_iter():
            client.delete(key)
    return Roles(server.url)


def test_published_isolated_told_and_compacted_each_by_its_own_user(roles, server):
    ledger = roles.of[User.ARCTL].ledger
    ingest(roles.of[User.DOOR].ledger, roles.of[User.DOOR].doorbell, [published()])
    ledger.pause("acme", "verb:kill_process", "wait")
    ledger.pause(None, "verb:ban_hash", "wait", until=ledger.now() + timedelta(milliseconds=1))
    roles.answer()
    roles.sweep()
    roles.rings.extend(ledger.resume("acme", "verb:kill_process"))
    for _ in range(3):
        roles.answer()
        roles.sweep()
    assert {state for state, _ in states(roles.of[User.ARCTL]).values()} == {State.DONE}
    assert sorted(verb for verb, _ in roles.edr.effects) == ["ban_hash", "isolate", "kill_process"]
    assert [each.is_isolated for each in ledger.isolated("acme")] == [True]
    assert refused(server.url) == []


def test_what_feeds_have_read_is_moved_by_the_door(roles, server):
    ledger = roles.of[User.DOOR].ledger
    assert ledger.move_cursor("acme", "crowdstrike", "", "today")
    record = KeptRecord(id="7", field="severity", reason="is odd", key="a" * 32, payload={})
    ledger.refuse("acme", "crowdstrike", [record])
    assert [each.feed for each in roles.of[User.ARCTL].ledger.refused("acme")] == ["crowdstrike"]
    with pytest.raises(redis.exceptions.ResponseError):
        roles.of[User.EXECUTE].ledger.move_cursor("acme", "crowdstrike", "today", "ten years ago")
    assert ledger.cursor("acme", "crowdstrike") == "today"


@pytest.mark.parametrize("user", ON_LEDGER)
def test_whoever_rings_reaches_every_queue_and_whoever_works_on_it_takes_it(roles, server, user):
    rung = [Ring(id=f"acme:{queue}", queue=queue, is_first=queue is Queue.IOC) for queue in TASKS]
    CeleryDoorbell(celery_at(url_of(user, server.url))).ring(rung)
    for taking in WORKERS:
        queues = [queue for queue, taker_of in TAKES.items() if taker_of is taking]
        with taker(celery_at(url_of(taking, server.url)).conf.broker_url, *queues) as worker:
            worker.drain()
        assert sorted(queue for queue, _ in worker.taken) == sorted(queue for queue in queues if queue in TASKS)


def test_a_message_that_nobody_can_read_is_set_aside_under_its_own_user(roles, server, clients):
    clients[User.EXECUTE].lpush("ioc", "no message")
    clients[User.EXECUTE].set("notify", "no list")
    with taker(celery_at(url_of(User.EXECUTE, server.url)).conf.broker_url, "ioc", "notify") as worker:
        worker.drain()
    assert clients[User.ARCTL].llen(POISON) == 2


def test_what_doctor_looks_at_arctl_may_see(server, clients):
    found = [*checkup(server.url), *posture(server.url, "AR_REDIS_URL", is_ledger=True)]
    assert [check for check in found if check.light is Light.RED] == []
    assert "redis refusals" in {check.name for check in found}
    clients[User.HOUSEKEEPING].set("ar:tick:sweep", 1)
    assert is_swept(server.url).light is Light.OK


def test_who_tries_what_it_may_not_is_told_by_doctor(server, clients):
    with pytest.raises(redis.exceptions.NoPermissionError):
        clients[User.BEAT].flushall()
    (check,) = (check for check in checkup(server.url) if check.name == "redis refusals")
    assert check.light is Light.WARN
    assert "beat: command flushall" in check.detail


#: What nobody is to do: it would empty the server, set it up anew, stop it, or look through all that it has.
NOBODY = (
    "FLUSHALL", "FLUSHDB", "CONFIG GET *", "CONFIG SET maxmemory-policy allkeys-lru", "CONFIG REWRITE", "KEYS *", "DEBUG SLEEP 0", "ACL LIST",
    "ACL SETUSER stranger on nopass ~* +@all", "ACL DELUSER flower", "SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION FLUSH", "SHUTDOWN NOSAVE",
    "REPLICAOF NO ONE", "MODULE LIST", "MONITOR", "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1", "SAVE", "BGREWRITEAOF",
    "SWAPDB 0 1", "SORT respond", "DUMP ar:format", "RESTORE x 0 y", "COPY ar:format x", "MOVE ar:format 1", "SLOWLOG GET", "LATENCY RESET",
    "CLUSTER RESET", "SET somebody:elses 1", "GET somebody:elses", "EVAL return(redis.call('SET','x',1)) 0", "PUBLISH somewhere x",
)  # fmt: skip
FORGED = "HSET ar:{acme}:row:acme:isolate:1 state done"
OPENED = ("HDEL ar:paused *", "HDEL ar:{acme}:paused *", "HSET ar:paused * {}", "DEL ar:paused")
MAY_NOT = {
    User.DOOR: ("SCAN 0", "ACL LOG", *OPENED, "BRPOP housekeeping 1", "LPUSH housekeeping x"),
    User.RESPOND: ("SCAN 0", "ACL LOG", *OPENED, "HSET ar:{acme}:cursors crowdstrike x", "SADD ar:customers x", "RPOP polling"),
    User.EXECUTE: ("SCAN 0", "ACL LOG", *OPENED, "HSET ar:{acme}:cursors crowdstrike x", "DEL ar:{acme}:refused", "RPOP housekeeping"),
    User.HOUSEKEEPING: ("SCAN 0", "ACL LOG", "HSET ar:{acme}:cursors crowdstrike x", "SADD ar:customers x", "RPOP polling"),
    User.BEAT: ("SCAN 0", "ACL LOG", *OPENED, FORGED, "GET ar:format", "LPUSH isolation x", "RPOP polling", "PUBLISH /0.celery.pidbox x"),
    User.FLOWER: (
        "SCAN 0", "ACL LOG", *OPENED, FORGED, "GET ar:format", "LPUSH isolation x", "RPUSH respond x", "RPOP isolation", "BRPOP ioc 1",
        "DEL notify", "HGETALL ar:{acme}:row:acme:isolate:1", "SADD _kombu.binding.isolation x",
        "EVAL return(redis.call('RPOP',KEYS[1])) 1 isolation",
    ),
    User.ARCTL: ("RPOP polling", "LPUSH housekeeping x", "PSUBSCRIBE *"),
}  # fmt: skip


@pytest.mark.parametrize("user", User)
def test_a_user_may_do_nothing_that_is_anothers(clients, server, user):
    client = clients[user]
    done = []
    for command in (*NOBODY, *MAY_NOT[user]):
        try:
            client.execute_command(*command.split())
        except redis.exceptions.NoPermissionError:
            continue
        except redis.exceptions.ResponseError as error:
            if any(words in str(error) for words in ("can't access at least one of the keys", "ACL failure", "DEBUG command not allowed")):
                continue
            done.append(f"{command}: {error}")
        else:
            done.append(command)
    assert done == []


def test_nobody_comes_in_without_a_login_or_as_default(server):
    for login in ("", ":", "default:x@", "door:x@", "stranger:x@"):
        url = "unix://" + login.replace(":", "", login == ":") + server.url.rpartition("@")[2]
        with redis.Redis.from_url(url) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_redis_6_is_given_nothing_that_it_does_not_know():
    older = lines(dict.fromkeys(User, "nopass"), knows_reading=False)
    assert not any("%" in line or "(" in line for line in older)
    assert [line.replace("%R~", "~") for line in lines(dict.fromkeys(User, "nopass"))] == older
