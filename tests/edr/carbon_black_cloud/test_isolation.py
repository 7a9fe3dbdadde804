"""How Carbon Black Cloud isolates: orders that leave no trace, shown at the next contact and by the device alone."""

from __future__ import annotations

import pytest

from ar_workers.domain.facts import Receipt, Sight
from tests.edr.carbon_black_cloud.building import acted, first
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.carbon_black_cloud import carbon_black_cloud, device_id


@pytest.mark.parametrize("accepted", [204, 200])
def test_an_accepted_quarantine_is_pending_until_the_next_contact(accepted):
    with carbon_black_cloud(accepted=accepted) as rig:
        action = rig.action("isolate")
        receipt = acted(rig, action)
        assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
        assert rig.settled(action, receipt).sight is Sight.PRESENT


def test_an_order_names_one_device_and_never_a_search(rig):
    acted(rig, rig.action("isolate"))
    order = {"action_type": "QUARANTINE", "device_id": [device_id(FIRST)], "options": {"toggle": "ON"}}
    assert [each["body"] for each in rig.written()] == [order]


def test_the_twin_would_show_what_an_empty_search_does(rig):
    """The control of the test above."""
    rig.adapter._api.post(
        "/appservices/v6/orgs/{org}/device_actions", {"action_type": "QUARANTINE", "search": {}, "options": {"toggle": "ON"}}
    )
    assert sorted(rig.effects()) == sorted(("isolate", device_id(name)) for name in (FIRST, NEIGHBOUR))


def test_a_release_reaches_an_isolation_that_is_still_on_its_way(rig):
    rig.change(online=False)
    acted(rig, rig.action("isolate"))
    release = rig.action("release")
    seen = rig.adapter.observe(release, None)
    assert seen.sight is Sight.UNKNOWABLE
    receipt = rig.adapter.perform(release, seen)
    rig.change(online=True)
    assert rig.settled(release, receipt).sight is Sight.PRESENT
    assert first(rig).status == "normal"


def test_an_isolated_endpoint_that_is_away_is_asked_for_again(rig):
    action = rig.action("isolate")
    rig.change(status="contained")
    assert rig.adapter.observe(action, None).sight is Sight.PRESENT
    rig.change(online=False)
    rig.simulation.clock.advance(600)
    seen = rig.adapter.observe(action, None)
    assert (seen.sight, "away" in seen.evidence) == (Sight.UNKNOWABLE, True)
    assert rig.adapter.observe(action, rig.adapter.perform(action, seen)).sight is Sight.PRESENT


@pytest.mark.parametrize("verb", ["isolate", "release"])
def test_a_device_without_an_isolation_state_shows_nothing(rig, verb):
    first(rig).facts["quarantined"] = None
    assert rig.adapter.observe(rig.action(verb), Receipt(reference="x")).sight is Sight.UNKNOWABLE


def test_a_last_contact_that_cannot_be_read_counts_as_away(rig):
    rig.change(status="contained")
    first(rig).facts["last_contact_time"] = None
    assert rig.adapter.observe(rig.action("isolate"), None).sight is Sight.UNKNOWABLE


@pytest.mark.parametrize(("verb", "never"), [("isolate", False), ("release", True)])
def test_an_accepted_order_that_shows_nothing_though_the_sensor_has_reported_since_does_not_wait(rig, verb, never):
    action = rig.action(verb)
    first(rig).facts["quarantined"] = never
    receipt = acted(rig, action)
    assert rig.adapter.observe(action, receipt).sight is Sight.PENDING
    rig.simulation.clock.advance(90)
    assert rig.adapter.observe(action, receipt).sight is Sight.ABSENT


def test_an_order_waits_as_long_as_its_sensor_does_not_report(rig):
    action = rig.action("isolate")
    rig.change(online=False)
    receipt = acted(rig, action)
    rig.simulation.clock.advance(3 * 24 * 3600)
    assert rig.adapter.observe(action, receipt).sight is Sight.PENDING


def test_an_order_whose_time_is_not_known_waits(rig):
    action = rig.action("isolate")
    first(rig).facts["quarantined"] = False
    acted(rig, action)
    rig.simulation.clock.advance(90)
    assert rig.adapter.observe(action, Receipt(reference=device_id(FIRST))).sight is Sight.PENDING
