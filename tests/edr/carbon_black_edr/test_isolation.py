"""How Carbon Black EDR isolates: a flag on the sensor's row, and another that says what became of it."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import ReleaseEndpoint
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import AuthRefused, OutcomeUnknown, Unsupported
from ar_workers.domain.facts import Sight
from ar_workers.simulator import Fault
from tests.builders import an_isolate
from tests.edr.carbon_black_edr.building import MD5, NOTHING, SEVEN, a_ban, twin_endpoint
from tests.edr.rigs.carbon_black_edr import carbon_black_edr


def release():
    return ReleaseEndpoint(customer="acme", edr=Vendor.CARBON_BLACK_EDR, endpoint=SEVEN)


def test_the_flag_is_not_the_fact(rig):
    rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    fact = rig.adapter.observe(an_isolate(SEVEN), None)
    assert (fact.sight, fact.evidence) == (Sight.PENDING, "isolation is wanted, the sensor is not isolated")


@pytest.mark.parametrize(
    ("status", "isolate", "release_"),
    [
        ("normal", Sight.ABSENT, Sight.PRESENT),
        ("containment_pending", Sight.PENDING, Sight.ABSENT),
        ("contained", Sight.PRESENT, Sight.ABSENT),
        ("lift_containment_pending", Sight.ABSENT, Sight.PENDING),
    ],
)
def test_both_flags_are_read(rig, status, isolate, release_):
    rig.change(status=status)
    assert rig.adapter.observe(an_isolate(SEVEN), None).sight is isolate
    assert rig.adapter.observe(release(), None).sight is release_


@pytest.mark.parametrize("answer", [200, 204])
def test_a_sensor_is_isolated_with_two_fields_and_stays_in_its_group(answer):
    with carbon_black_edr(put_answer=answer) as rig:
        rig.change(groups=["2"])
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
        assert rig.written()[0]["body"] == {"network_isolation_enabled": True, "group_id": 2}
        assert rig.effects() == [("isolate", "7")]


def test_a_sensor_that_cannot_isolate_is_told_before_it_is_asked(rig):
    twin_endpoint(rig).facts["supports_isolation"] = False
    with pytest.raises(Unsupported, match="does not support isolation"):
        rig.adapter.observe(an_isolate(SEVEN), None)
    with pytest.raises(Unsupported):
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    assert rig.written() == []


def test_a_flag_whose_answer_was_lost_is_seen_and_not_repeated(rig):
    rig.spoil_writes(Fault(action="reset_after"))
    with pytest.raises(OutcomeUnknown):
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    assert rig.adapter.observe(an_isolate(SEVEN), None).sight is Sight.PENDING
    with pytest.raises(OutcomeUnknown):
        rig.adapter.perform(a_ban(), NOTHING)
    assert rig.adapter.observe(a_ban(), None).sight is Sight.PRESENT
    assert rig.effects() == [("isolate", "7"), ("ban_hash", MD5)]


def test_a_token_that_may_not_isolate_is_told_so(rig):
    rig.simulation.world.tenant("acme").credentials[0].scopes = ["ban"]
    with pytest.raises(AuthRefused):
        rig.adapter.perform(an_isolate(SEVEN), NOTHING)
    assert rig.effects() == []
