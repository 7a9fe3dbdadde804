"""A message that names rows of another kind than its task's leaves them as they are, and costs the others nothing."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import is_actions
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from tests.security.forging import Scene


@pytest.fixture
def scene():
    return Scene()


def named(scene, kind):
    scene.planned()
    return [row.id for row in scene.ledger.rows("acme", "THREAT-1") if row.kind == kind]


def test_an_id_says_of_which_kind_its_row_is(scene):
    scene.planned()
    assert all(is_actions(row.id) is (row.kind == "action") for row in scene.ledger.rows("acme", "THREAT-1"))


def test_a_message_about_actions_takes_no_delivery(scene, caplog):
    deliveries, actions = named(scene, "delivery"), named(scene, "action")
    execute(scene.services, [*deliveries, *actions])
    assert {scene.fate(each)[0] for each in deliveries} == {"pending"}
    assert {scene.fate(each)[0] for each in actions} == {"done"}
    assert deliveries[0] in caplog.text
    deliver(scene.services, deliveries)
    assert {scene.fate(each)[0] for each in deliveries} == {"done"}


def test_a_message_about_deliveries_takes_no_action(scene):
    deliveries, actions = named(scene, "delivery"), named(scene, "action")
    deliver(scene.services, [*actions, *deliveries])
    deliver(scene.services, actions)
    assert {scene.fate(each)[0] for each in actions} == {"pending", "waiting"}
    assert {scene.fate(each)[0] for each in deliveries} == {"done"}
    assert scene.effects == []
