"""The ledger's clock is the server's, and nothing that a client says or writes moves it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from ar_workers import ledger as package
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import Scripts, source
from tests.builders import NOON
from tests.clocks import ManualClock, a_ledger
from tests.keys import SEALS
from tests.ledger.building import a_row, recorded

FOLDER = Path(str(resources.files(package))) / "scripts"
SCRIPTS = sorted(str(each.relative_to(FOLDER).with_suffix("")) for each in FOLDER.rglob("*.lua"))


def test_only_the_clock_tells_the_time():
    told = {name: re.findall(r"\bnow\s*=[^=]|'TIME'", source(name)) for name in SCRIPTS}
    assert {name: found for name, found in told.items() if found} == {"clock": ["'TIME'", "now = "]}


def test_the_clock_is_the_servers_whatever_stands_in_its_keys(real_redis, redis_url):
    client = connect(redis_url)
    for key in ("test:clock", "ar:clock", "clock", "now", "ar:{acme}:clock", "ar:{acme}:now"):
        client.set(key, "1")
    seconds, micros = client.time()
    assert abs(Scripts(client).run("now", "acme", "1", "now", "1") - (seconds * 1000 + micros // 1000)) < 5000


def test_a_production_ledger_goes_by_the_clock_that_the_scripts_bring(real_redis, redis_url):
    ledger = RedisLedger(connect(redis_url), seals=SEALS)
    recorded(ledger, a_row())
    assert abs(ledger.row("acme:isolate:1").created_at.timestamp() - time.time()) < 60


def test_a_test_moves_the_clock_by_hand_and_leases_end():
    clock = ManualClock()
    ledger = a_ledger(clock)
    recorded(ledger, a_row())
    assert ledger.row("acme:isolate:1").created_at == NOON
    lease = timedelta(hours=3)
    (claim,) = ledger.claim(["acme:isolate:1"], owner="a", lease=lease, caps={})
    clock.advance(timedelta(hours=2))
    assert ledger.claim(["acme:isolate:1"], owner="b", lease=lease, caps={})[0].reason == "leased"
    clock.advance(timedelta(hours=2))
    assert ledger.claim(["acme:isolate:1"], owner="b", lease=lease, caps={})[0].fence > claim.fence


@pytest.mark.parametrize("days", [0.5, 3])
def test_ticks_go_by_the_same_clock(days):
    clock = ManualClock()
    ledger = a_ledger(clock)
    assert ledger.tick("recheck", timedelta(days=1))
    clock.advance(timedelta(days=days))
    assert ledger.tick("recheck", timedelta(days=1)) == (days > 1)
