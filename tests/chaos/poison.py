"""R13: what a stranger may push into the queues and under our keys."""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
from typing import TYPE_CHECKING, Any

from ar_workers.domain.canvas import Queue
from ar_workers.transport import POISON
from tests.chaos.fleet import Fleet
from tests.chaos.report import Outcome, asked_after, of, percentile
from tests.chaos.world import Campaign

if TYPE_CHECKING:
    from pathlib import Path

QUEUES = tuple(map(str, Queue))
TASKS = ("respond", "isolate", "act", "deliver")


def poison(folder: Path, seed: int, *, threats: int, each: int, megabytes: int, pause: float = 0.0) -> Outcome:
    """Poison of every kind into every queue, so many times with pauses of so many seconds, among real threats."""
    chance, campaign = random.Random(f"poison/{seed}"), Campaign(seed)
    campaign.add(threats)
    with Fleet(folder, campaign) as fleet, fleet.client as client:
        unreadable = 0
        for at in range(each):
            for queue in QUEUES:
                junk = unreadable_junk(chance, megabytes if at == 0 else 0)
                unreadable += len(junk)
                client.lpush(queue, *junk, *readable_junk(chance, queue))
            fleet.publish(campaign.threats[at * threats // each : (at + 1) * threats // each])
            fleet.until(lambda: False, seconds=pause)
        fleet.until(fleet.settled(campaign.threats), seconds=60 + threats)
        fleet.until(lambda: client.llen(POISON) >= min(unreadable, 1000), seconds=20)
        aside, standing, restarts = client.llen(POISON), sum(client.llen(queue) for queue in QUEUES), fleet.restarts()
        asked, verdict = percentile(asked_after(fleet.isolations()), 0.99), fleet.verdict()
    return of(
        "R13", f"poison in every queue among {threats} threats", seed, verdict, also=not restarts and aside >= min(unreadable, 1000),
        timely=asked <= 2, figure="0 worker exits; what cannot be read is set aside; isolations ordered <= 2 s (p99)",
        exits=restarts, unreadable=unreadable, set_aside=aside, standing=standing, asked_p99=asked,
    )  # fmt: skip


def unreadable_junk(chance: random.Random, megabytes: int) -> list[bytes]:
    """What is no message at all."""
    found = [chance.randbytes(64), b"", b"{", b"null", b"[]", b"{}", b'{"properties": {}}', b'{"properties": 3}', b"\xff\xfe\x00"]
    found.append(message("ioc", "ar_workers.tasks.act", ["x"], body="not base64 at all").encode())
    return found + ([chance.randbytes(megabytes * 2**20)] if megabytes else [])


def readable_junk(chance: random.Random, queue: str) -> list[str]:
    """Messages that are well formed and make no sense."""
    task = f"ar_workers.tasks.{chance.choice(TASKS)}"
    ids: list[Any] = [[], [3], [None], [{"a": 1}], ["no:such:row"], ["x" * 10_000], [":"], ["acme:event/none"], ["acme:isolate:1", "two"]]
    found = [message(queue, task, args) for args in ids]
    found.append(message(queue, "os.system", ["true"]))
    found.append(message(queue, task, ["x"], content_type="application/x-python-serialize"))
    found += [message(queue, task, ["x"], headers={name: odd}) for name in HEADERS for odd in ODDITIES]
    return found


HEADERS = ("task", "id", "root_id", "eta", "expires", "retries", "timelimit", "group", "argsrepr", "ignore_result")
ODDITIES: tuple[Any, ...] = (None, [], {"a": 1}, "", "nonsense", -1)


def message(
    queue: str,
    task: str,
    args: list[Any],
    *,
    content_type: str = "application/json",
    body: str | None = None,
    headers: dict[str, Any] | None = None,
) -> str:
    """A message as Celery would send it."""
    text = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    number = str(uuid.uuid4())
    return json.dumps(
        {
            "body": body or base64.b64encode(text.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": {"lang": "py", "task": task, "id": number, "root_id": number, "argsrepr": "", "kwargsrepr": "", **(headers or {})},
            "properties": {
                "correlation_id": number, "delivery_mode": 2, "delivery_tag": number, "body_encoding": "base64", "priority": 0,
                "delivery_info": {"exchange": "", "routing_key": queue},
            },
        }
    )  # fmt: skip


#: Keys that all customers share, and the queues.
SHARED = ("ar:customers", "ar:tick:sweep", "ar:tick:compact", "ar:tick:poll", "ar:tick:recheck_unsupported_os", POISON, *QUEUES)


def wrong_types(folder: Path, seed: int, *, threats: int, seconds: float) -> Outcome:
    """R13: every key of one customer, and for a while every shared key, becomes something else; the other customer is served."""
    campaign = Campaign(seed)
    campaign.add(threats)
    mine = [event for event in campaign.threats if event.customer == "acme"]
    with Fleet(folder, campaign) as fleet, fleet.client as client:
        fleet.publish(campaign.threats[: threats // 2])
        fleet.until(lambda: client.exists("ar:{globex}:due") == 1, seconds=20)
        spoiled = list(client.scan_iter("ar:{globex}:*"))
        for key in spoiled:
            _spoil(client, key)
        fleet.until(lambda: False, seconds=seconds)
        for key in SHARED:
            _spoil(client, key)
        fleet.until(lambda: False, seconds=seconds)
        for key in SHARED:
            if client.type(key) == _odd(key):
                client.delete(key)
        client.sadd("ar:customers", *campaign.tenants)
        healed = time.monotonic()
        fleet.publish([event for event in campaign.threats[threats // 2 :] if event.customer == "acme"])
        fleet.until(fleet.settled(mine), seconds=60 + threats)
        rest, exits = time.monotonic() - healed, fleet.restarts()
        verdict = fleet.verdict_on(
            mine,
            [each for each in fleet.journal() if each["tenant"] in {"acme", ""}],
            {each for each in campaign.expected if each[0] == "acme"},
        )
    return of(
        "R13", f"wrong types under {len(spoiled)} keys of a customer and all shared ones", seed, verdict, also=not exits,
        figure="0 worker exits; the other customer is served", exits=exits, settled_after=rest,
    )  # fmt: skip


def _odd(key: str) -> str:
    """A type that nothing of ours has under this key."""
    return "hash" if key in {"ar:customers", *QUEUES, POISON} or key.startswith("ar:tick:") else "string"


def _spoil(client: Any, key: str) -> None:
    client.delete(key)
    if _odd(key) == "hash":
        client.hset(key, "odd", "1")
    else:
        client.set(key, "odd")
