"""An isolation that was accepted and is not in effect is taken back by every vendor that can."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import Unsupported
from ar_workers.domain.facts import Receipt, Sight
from tests.edr.rigs import RIGS
from tests.edr.rigs.crowdstrike import crowdstrike

UNABLE = {"cortex_xdr"}
ABLE = sorted(set(RIGS) - UNABLE)


def ordered(rig):
    """An isolation of an endpoint that is away."""
    action = rig.action("isolate")
    rig.change(online=False)
    return action, rig.adapter.perform(action, rig.adapter.observe(action, None))


@pytest.mark.parametrize("vendor", ABLE)
def test_an_isolation_that_was_taken_back_does_not_come_true_when_the_endpoint_returns(vendor):
    with RIGS[vendor]() as rig:
        action, receipt = ordered(rig)
        before = len(rig.simulation.journal.requests())
        seen = rig.adapter.withdraw(action, receipt)
        assert seen.sight in {Sight.ABSENT, Sight.UNKNOWABLE}
        assert len([each for each in rig.simulation.journal.requests()[before:] if each["method"] in {"POST", "PUT"}]) == 1
        rig.change(online=True)
        rig.simulation.clock.advance(300)
        assert rig.adapter.observe(action, None).sight is Sight.ABSENT
        assert rig.simulation.world.endpoint(rig.tenant, rig.agent_id("FIN-LT-07")).status == "normal"


@pytest.mark.parametrize("vendor", ABLE)
def test_taking_it_back_twice_is_as_taking_it_back_once(vendor):
    with RIGS[vendor]() as rig:
        action, receipt = ordered(rig)
        for _ in range(2):
            assert rig.adapter.withdraw(action, receipt).sight in {Sight.ABSENT, Sight.UNKNOWABLE}


@pytest.mark.parametrize("vendor", sorted(UNABLE))
def test_what_no_api_takes_back_is_refused_before_any_request_and_says_where_it_can_be(vendor):
    with RIGS[vendor]() as rig:
        action, receipt = ordered(rig)
        before = len(rig.simulation.journal.requests())
        with pytest.raises(Unsupported, match="Action Center"):
            rig.adapter.withdraw(action, receipt)
        assert len(rig.simulation.journal.requests()) == before


def test_a_ban_is_taken_back_by_nobody():
    with crowdstrike() as rig, pytest.raises(Unsupported):
        rig.adapter.withdraw(rig.action("ban_hash"), Receipt())


def test_where_falcon_takes_no_order_against_a_pending_one_the_order_is_still_shown():
    with crowdstrike(pending_reversal="conflict") as rig:
        action, receipt = ordered(rig)
        seen = rig.adapter.withdraw(action, receipt)
        assert (seen.sight, seen.evidence.startswith("Falcon shows status containment_pending, last seen ")) == (Sight.PENDING, True)


def test_an_isolation_that_defender_has_carried_out_is_not_cancelled():
    with RIGS["defender"]() as rig:
        action = rig.action("isolate")
        receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
        assert rig.settled(action, receipt).sight is Sight.PRESENT
        assert rig.adapter.withdraw(action, receipt).sight is Sight.PRESENT
        assert len(rig.written()) == 1
