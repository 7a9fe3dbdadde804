"""The gate before every request: no worker asks an EDR oftener, or sooner, than it allows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import Throttled
from ar_workers.domain.limits import Limits, Rate
from ar_workers.edr.gated import Gated
from ar_workers.simulator import Fault
from tests.clocks import ManualClock, a_ledger
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.crowdstrike import crowdstrike


@pytest.fixture
def rig():
    with crowdstrike() as found:
        yield found


def gated(rig, calls=None):
    clock = ManualClock()
    ledger = a_ledger(clock)
    if calls:
        limits = Limits(rates=(Rate(calls=calls, per=timedelta(hours=1)),), on_429="none", source="made up")
        ledger.limit("acme", Vendor.CROWDSTRIKE, limits)
    return Gated(rig.adapter, ledger, "acme"), ledger, clock


def test_every_request_is_taken_out_of_the_allowance(rig):
    edr, _, _ = gated(rig, calls=12)
    edr.endpoint(rig.agent_id(FIRST))
    with pytest.raises(Throttled, match="not sent"):
        edr.observe(rig.action("ban_hash"), None)
    assert len(rig.simulation.journal.requests()) == 3


def test_a_request_that_is_not_allowed_is_not_sent_and_says_when(rig):
    edr, ledger, _ = gated(rig)
    ledger.stay_away("acme", Vendor.CROWDSTRIKE, timedelta(minutes=2))
    with pytest.raises(Throttled) as raised:
        edr.endpoint(rig.agent_id(FIRST))
    assert raised.value.retry_after == timedelta(minutes=2)
    assert rig.simulation.journal.requests() == []


def test_what_one_worker_was_told_in_a_429_all_obey_until_then(rig):
    edr, ledger, clock = gated(rig)
    other = Gated(rig.adapter, ledger, "acme")
    edr.endpoint(rig.agent_id(FIRST))
    rig.simulation.faults.add(Fault(**{**vars(rig.throttle), "times": 1}))
    with pytest.raises(Throttled):
        edr.endpoint(rig.agent_id(FIRST))
    asked = len(rig.simulation.journal.requests())
    with pytest.raises(Throttled, match="not sent"):
        other.perform(rig.action("isolate"), None)
    assert len(rig.simulation.journal.requests()) == asked
    clock.advance(timedelta(seconds=31))
    assert other.endpoint(rig.agent_id(FIRST)).hostname == FIRST


def test_another_customers_edr_is_not_held_up(rig):
    edr, ledger, _ = gated(rig)
    ledger.stay_away("globex", Vendor.CROWDSTRIKE, timedelta(minutes=2))
    assert edr.endpoint(rig.agent_id(FIRST)).hostname == FIRST


def test_the_gate_is_closed_behind_the_adapter(rig):
    edr, ledger, _ = gated(rig)
    next(edr.members("Remediate"))
    ledger.stay_away("acme", Vendor.CROWDSTRIKE, timedelta(minutes=2))
    assert rig.adapter.endpoint(rig.agent_id(FIRST)).hostname == FIRST


def test_a_listing_goes_through_the_gate_page_by_page(rig):
    edr, ledger, _ = gated(rig)
    assert [each.hostname for each in edr.members("Remediate")] == [FIRST, "NEIGHBOUR"]
    ledger.stay_away("acme", Vendor.CROWDSTRIKE, timedelta(minutes=2))
    with pytest.raises(Throttled):
        next(edr.members("Remediate"))


def test_isolations_may_use_what_is_left_to_them(rig):
    edr, ledger, _ = gated(rig, calls=40)
    while ledger.spend("acme", Vendor.CROWDSTRIKE, may_use_reserve=False) is None:
        pass
    with pytest.raises(Throttled):
        edr.observe(rig.action("ban_hash"), None)
    rig.adapter.endpoint(rig.agent_id(FIRST))
    assert edr.observe(rig.action("isolate"), None).evidence == "Falcon shows status normal"


def test_it_shows_what_its_adapter_can(rig):
    edr, _, _ = gated(rig)
    assert (edr.vendor, edr.hash_types, edr.limits) == (rig.adapter.vendor, rig.adapter.hash_types, rig.adapter.limits)
    assert edr.capabilities() == rig.adapter.capabilities()
