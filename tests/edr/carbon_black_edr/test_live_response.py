"""Live Response of Carbon Black EDR: sessions that are shared, awaited or have ended, and orders that are found again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import Denied, EndpointOffline, OutcomeUnknown, Unsupported, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.simulator import Fault
from tests.builders import a_delete, a_key_deletion, a_kill, an_endpoint
from tests.edr.carbon_black_edr.building import SEVEN, twin_endpoint
from tests.edr.rigs.base import NEIGHBOUR
from tests.edr.rigs.carbon_black_edr import carbon_black_edr


def test_live_response_that_is_switched_off_is_said_and_final():
    with carbon_black_edr(live_response=False) as rig, pytest.raises(Denied):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_a_412_of_a_new_session_names_the_setting(rig):
    rig.simulation.faults.add(Fault(action="reply", status=412, method="POST", path="/api/v1/cblr/session"))
    with pytest.raises(Denied, match="CbLREnabled"):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_a_sensor_without_live_response_is_told(rig):
    twin_endpoint(rig).facts["supports_cblr"] = False
    with pytest.raises(Unsupported):
        rig.adapter.observe(a_kill(SEVEN), None)


def test_a_sensor_that_knows_no_registry_is_not_asked_for_it(rig):
    twin_endpoint(rig).platform = "Mac"
    with pytest.raises(Unsupported, match="reg delete key"):
        rig.adapter.observe(a_key_deletion(SEVEN), None)


def test_a_session_is_shared_and_not_opened_twice(rig):
    for action in (a_kill(SEVEN), a_delete(SEVEN), a_key_deletion(SEVEN)):
        rig.adapter.observe(action, None)
    assert len(rig.simulation.journal.requests(method="POST", path="/api/v1/cblr/session")) == 1


def test_the_session_of_another_sensor_is_not_used(rig):
    rig.adapter.observe(a_kill(an_endpoint(NEIGHBOUR, edr=Vendor.CARBON_BLACK_EDR, agent_id="70")), None)
    assert rig.adapter.observe(a_kill(SEVEN), None).handle == "2"


def test_a_sensor_that_has_not_joined_yet_is_looked_at_again_soon():
    with carbon_black_edr(patience=0, session_delay=60) as rig:
        with pytest.raises(VendorFault, match="has not joined") as raised:
            rig.adapter.observe(a_kill(SEVEN), None)
        assert raised.value.retry_after == timedelta(seconds=15)
        rig.simulation.clock.advance(61)
        assert rig.adapter.observe(a_kill(SEVEN), None).sight is Sight.ABSENT
        assert len(rig.simulation.journal.requests(method="POST", path="/api/v1/cblr/session")) == 1


def test_a_session_that_nobody_joined_is_followed_by_another():
    with carbon_black_edr(patience=0, session_delay=200) as rig:
        for _ in range(2):
            with pytest.raises(VendorFault, match="has not joined"):
                rig.adapter.observe(a_kill(SEVEN), None)
            rig.simulation.clock.advance(130)
        assert len(rig.simulation.journal.requests(method="POST", path="/api/v1/cblr/session")) == 2


@pytest.mark.parametrize("answer", [404, 400])
def test_an_order_to_a_session_that_has_ended_may_be_given_again(answer):
    with carbon_black_edr(inactive_session=answer) as rig:
        seen = rig.adapter.observe(a_kill(SEVEN), None)
        rig.adapter._api.send("PUT", f"/api/v1/cblr/session/{seen.handle}", {"status": "close"})
        with pytest.raises(VendorFault, match="has ended"):
            rig.adapter.perform(a_kill(SEVEN), seen)
        again = rig.adapter.observe(a_kill(SEVEN), None)
        rig.adapter.perform(a_kill(SEVEN), again)
        assert rig.effects() == [("kill_process", "4711")]


def test_an_order_whose_session_timed_out_leaves_the_endpoint_itself_to_tell(rig):
    receipt = rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
    rig.simulation.clock.advance(700)
    assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.PRESENT


def test_the_answer_to_an_order_comes_later():
    with carbon_black_edr(order_delay=40) as rig:
        receipt = rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
        assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.PENDING
        rig.simulation.clock.advance(41)
        assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.PRESENT


def test_an_order_that_the_server_has_canceled_is_a_refusal():
    with carbon_black_edr(order_delay=60) as rig:
        receipt = rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
        rig.adapter._api.send("PUT", f"/api/v1/cblr/session/{receipt.detail['session']}", {"status": "close"})
        fact = rig.adapter.observe(a_kill(SEVEN), receipt)
        assert (fact.sight, "canceled" in fact.evidence, rig.effects()) == (Sight.REFUSED, True, [])


@pytest.mark.parametrize("action", [a_kill(SEVEN), a_delete(SEVEN), a_key_deletion(SEVEN)], ids=lambda action: action.verb)
def test_an_order_whose_number_was_lost_is_found_in_the_session_and_not_doubled(action):
    """The worker died between the order and writing it down: no receipt, and the sensor has not carried it out yet."""
    with carbon_black_edr(order_delay=60) as rig:
        seen = rig.adapter.observe(action, None)
        rig.spoil_writes(Fault(action="reset_after"))
        with pytest.raises(OutcomeUnknown):
            rig.adapter.perform(action, seen)
        fact = rig.adapter.observe(action, None)
        assert (fact.sight, "already under way" in fact.evidence) == (Sight.PENDING, True)
        rig.simulation.clock.advance(61)
        assert rig.adapter.observe(action, None).sight is Sight.PRESENT
        assert [len(rig.written()), [verb for verb, _ in rig.effects()]] == [1, [action.verb]]


def test_an_order_for_another_target_is_no_reason_to_wait():
    with carbon_black_edr(order_delay=60) as rig:
        rig.adapter.perform(a_kill(SEVEN), rig.adapter.observe(a_kill(SEVEN), None))
        assert rig.adapter.observe(a_delete(SEVEN), None).sight is Sight.ABSENT


@pytest.mark.parametrize("codes", ["unsigned", "signed"])
def test_a_failure_of_an_order_is_a_refusal_by_the_endpoint(codes):
    with carbon_black_edr(result_codes=codes) as rig:
        action = a_key_deletion(SEVEN)
        twin_endpoint(rig).registry[r"HKLM\Software\Evil\Below"] = {}
        receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "0x80070005" in fact.evidence) == (Sight.REFUSED, True)


def test_an_order_that_failed_because_all_is_done_is_so(rig):
    seen = rig.adapter.observe(a_kill(SEVEN), None)
    twin_endpoint(rig).processes.clear()
    receipt = rig.adapter.perform(a_kill(SEVEN), seen)
    assert rig.adapter.observe(a_kill(SEVEN), receipt).sight is Sight.PRESENT


def test_an_offline_sensor_is_asked_for_no_session(rig):
    rig.change(online=False)
    with pytest.raises(EndpointOffline):
        rig.adapter.observe(a_delete(SEVEN), None)
    assert rig.simulation.journal.requests(path="/api/v1/cblr/session") == []
