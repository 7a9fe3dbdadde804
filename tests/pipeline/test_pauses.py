"""By the clock: a pause that has ended lets go what it held."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.pauses import TICK, end_pauses
from tests.fakes import some_services

from .building import an_edr, play, published, states

HOUR = timedelta(hours=1)


def paused(services, whose):
    services.ledger.pause(whose, "*", "change freeze", by="kim", until=services.clock.now() + 6 * HOUR)


@pytest.mark.parametrize("whose", ["acme", None])
def test_what_a_pause_held_is_done_after_its_end(caplog, whose):
    services = some_services(edr=an_edr())
    paused(services, whose)
    play(services, published())
    assert {state for verb, (state, _) in states(services).items() if verb in {"isolate", "ban_hash", "kill_process"}} == {State.HELD}
    assert end_pauses(services) == 0
    services.clock.advance(6 * HOUR)
    assert end_pauses(services) == 3
    assert "the pause ended: " in caplog.text
    assert "by kim until 2026-11-24 18:00 UTC (*): change freeze" in caplog.text
    assert {ring.queue for ring in services.doorbell.rings} >= {"isolation", "ioc"}
    play(services)
    assert {state for state, _ in states(services).values()} == {State.DONE}
    assert len(services.edrs["acme", "crowdstrike"].effects) == 3


def test_of_many_who_ask_in_one_tick_one_looks():
    services = some_services(edr=an_edr())
    paused(services, "acme")
    ingest(services.ledger, services.doorbell, [published()])
    services.doorbell.answer(services)
    assert end_pauses(services) == 0
    services.clock.advance(6 * HOUR)
    assert [end_pauses(services), end_pauses(services)] == [3, 0]


def test_what_a_pause_held_waits_less_than_a_minute_for_its_end():
    assert TICK < timedelta(seconds=30)
