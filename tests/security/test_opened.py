"""That each trial can fail: with a guard that was opened on purpose something gets through, and the trial says so."""

from __future__ import annotations

import pytest

from ar_workers.channels.egress import Egress
from ar_workers.seals import Seals
from tests.security.forging import Scene
from tests.security.trials import addresses, doorbells, rows


class Credulous(Seals):
    """Believes whatever stands in the ledger."""

    def event_flaw(self, *_):
        return None

    def row_flaw(self, *_):
        return None


def a_credulous_scene():
    scene = Scene()
    scene.ledger._seals = Credulous(scene.ring)
    return scene


def test_seals_that_are_believed_unseen_let_rows_and_events_through():
    outcome = rows.forged(a_credulous_scene, 1, 60)
    assert outcome.got_through > 20
    assert any("'isolate'" in line for line in outcome.evidence.splitlines())


@pytest.mark.e2e
def test_a_ledger_that_believes_every_doorbell_does_things_twice(tmp_path):
    outcome = doorbells.rung(tmp_path, 1, 100, is_open=True)
    assert outcome.got_through > 5
    assert "times: acme:isolate" in outcome.evidence or "times: acme:ban_hash" in outcome.evidence


def test_an_egress_that_may_go_anywhere_is_seen_to_dial(tmp_path):
    outcome = addresses.dialled(lambda resolve: Egress(resolve=resolve, allowed=["0.0.0.0/0", "::/0"], total=0.05), tmp_path, 1, 1_000)
    assert outcome.got_through > 20
