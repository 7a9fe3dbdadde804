"""One action at an EDR: when it is asked, when it is asked again, and what is called done."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.errors import (
    AuthRefused,
    Denied,
    EndpointOffline,
    NotSent,
    OutcomeUnknown,
    Throttled,
    VendorFault,
)
from ar_workers.domain.events import ReleaseRequested
from ar_workers.domain.facts import Sight
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from tests.builders import NOON, a_policy
from tests.fakes import some_services

from .building import FIN, HASH, KILL, an_edr, play, published, row, states


def test_what_is_already_so_is_not_asked_for():
    services = some_services(edr=an_edr(looks=deque([Sight.PRESENT])))
    play(services, published(iocs=()))
    assert states(services)["isolate"][0] == State.ALREADY
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_accepted_is_not_done():
    services = some_services(edr=an_edr(takes_effect=False))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.PERFORMED
    play(services)
    final = row(services, "isolate")
    assert final.state == State.FAILED
    assert final.reason.startswith("accepted by the EDR, but not in effect")
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


def test_an_accepted_isolation_that_a_person_released_is_not_repeated():
    edr = an_edr()
    services = some_services(edr=edr)
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    edr.so.clear()
    play(services)
    assert edr.effects == [("isolate", "FIN-1")]


@pytest.mark.parametrize("error", [NotSent("refused"), Throttled("429", retry_after=None), VendorFault("503"), EndpointOffline("away")])
def test_what_may_pass_is_tried_again(error):
    services = some_services(edr=an_edr(answers=deque([error, error])))
    play(services, published(iocs=()))
    final = row(services, "isolate")
    assert final.state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


@pytest.mark.parametrize("error", [Denied("400"), AuthRefused("403")])
def test_what_will_not_pass_fails_at_once(error):
    services = some_services(edr=an_edr(answers=deque([error])))
    play(services, published(iocs=()))
    final = row(services, "isolate")
    assert (final.state, final.reason) == (State.FAILED, f"{type(error).__name__}: {error}")
    assert final.attempts == 0


def test_a_lost_answer_is_settled_by_looking():
    error = OutcomeUnknown("timeout")
    error.after_effect = True
    services = some_services(edr=an_edr(answers=deque([error])))
    play(services, published(iocs=()))
    assert row(services, "isolate").state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


def test_a_lost_answer_without_an_effect_is_asked_again():
    services = some_services(edr=an_edr(answers=deque([OutcomeUnknown("timeout")])))
    play(services, published(iocs=()))
    assert row(services, "isolate").state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1


def test_an_isolation_in_doubt_that_nobody_looked_at_for_long_waits_for_a_person():
    services = some_services(edr=an_edr(answers=deque([OutcomeUnknown("timeout")])))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.UNKNOWN
    services.clock.advance(timedelta(hours=1))
    sweep(services)
    services.doorbell.answer(services)
    held = row(services, "isolate")
    assert (held.state, "released" in held.reason) == (State.HELD, True)
    services.ledger.requeue(held.id, by="kim", life=timedelta(days=1))
    services.doorbell.ring(services.ledger.unsettled("acme", "THREAT-1"))
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.DONE


def test_nothing_is_destroyed_blindly_after_a_lost_answer():
    looks = deque([Sight.PRESENT, Sight.UNKNOWABLE, Sight.UNKNOWABLE])
    services = some_services(edr=an_edr(looks=looks, answers=deque([OutcomeUnknown("timeout")])))
    play(services, published(iocs=(KILL,)))
    assert row(services, "kill_process").reason.startswith("outcome unknown")


def test_what_the_edr_accepted_and_cannot_show_is_never_called_done():
    services = some_services(edr=an_edr(looks=deque([Sight.PRESENT, Sight.ABSENT, *[Sight.UNKNOWABLE] * 50])))
    play(services, published(iocs=(KILL,)))
    assert row(services, "kill_process").state == State.FAILED
    assert "cannot show the effect" in row(services, "kill_process").reason


def test_a_process_that_is_another_one_now_is_left_alone():
    services = some_services(edr=an_edr(looks=deque([Sight.PRESENT, Sight.MISMATCH])))
    play(services, published(iocs=(KILL,)))
    assert states(services)["kill_process"] == (State.SKIPPED, "seen mismatch")
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_an_offline_endpoint_keeps_its_intent_until_its_deadline():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("away")] * 5000)))
    play(services, published(iocs=()), rounds=100)
    assert row(services, "isolate").state == State.PENDING
    services.clock.advance(timedelta(days=7))
    play(services, rounds=5)
    final = row(services, "isolate")
    assert final.state == State.FAILED
    assert final.reason.startswith("deadline passed; last: EndpointOffline")


def test_the_group_is_read_again_before_the_edr_is_asked():
    outside = FIN.model_copy(update={"groups": frozenset({"Default"})})
    services = some_services(edr=an_edr(outside))
    play(services, published(iocs=(HASH,)))
    reason = "no affected endpoint is in a remediate group"
    assert states(services)["isolate"] == (State.SKIPPED, reason)
    assert states(services)["ban_hash"] == (State.SKIPPED, reason)
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_a_protected_endpoint_is_held_until_a_person_decides():
    policy = some_services().policies["acme"].model_copy(update={"protected_endpoints": frozenset({"fin-1"})})
    services = some_services(edr=an_edr(), policy=policy)
    play(services, published(iocs=()))
    held = row(services, "isolate")
    assert (held.state, held.reason) == (State.HELD, "protected endpoint (name fin-1): a TRE decides")
    services.doorbell.ring([services.ledger.requeue(held.id, by="kim", life=timedelta(days=1))])
    play(services)
    assert row(services, "isolate").state == State.DONE


def test_a_ban_is_not_held_back_by_an_isolation_that_has_to_wait():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("away")])))
    ingest(services.ledger, services.doorbell, [published(iocs=(HASH, KILL))])
    services.doorbell.answer(services)
    assert row(services, "ban_hash").state == State.DONE
    assert row(services, "kill_process").state == State.WAITING


def released(services, by="kim"):
    facts = {"id": "r1", "customer": "acme", "occurred_at": NOON, "endpoint": FIN, "requested_by": by, "reason": "false alarm"}
    ingest(services.ledger, services.doorbell, [ReleaseRequested(**facts)])


def test_an_isolation_that_waits_for_its_endpoint_ends_with_a_release_and_needs_nobody():
    edr = an_edr(takes_effect=False)
    services = some_services(edr=edr)
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.PERFORMED
    released(services)
    edr.takes_effect = True
    edr.looks.append(Sight.ABSENT)  # the release: the order for the isolation may still come true
    play(services)
    isolate = row(services, "isolate")
    assert (isolate.state, isolate.reason) == (State.CANCELLED, "released by kim")
    assert edr.effects == [("isolate", "FIN-1"), ("release", "FIN-1")]
    kinds = {each.notification.kind for name in ("slack", "pagerduty") for each in services.channels["tre", name].sent}
    assert kinds == {"threat_published"}
    refusal = services.ledger.requeue(isolate.id, by="sam", life=timedelta(days=1))
    assert refusal.reason == "is older than the release: the endpoint was released by kim"


def test_an_approval_of_the_blast_radius_does_not_isolate_a_protected_endpoint():
    policy = a_policy(isolations_per_hour=0, protected_endpoints={"FIN-1"})
    services = some_services(edr=an_edr(), policy=policy)
    play(services, published(iocs=()))
    isolate = row(services, "isolate")
    assert (isolate.state, isolate.reason.partition(":")[0]) == (State.HELD, "blast radius")
    for expected in ("protected endpoint (name FIN-1): a TRE decides", "seen present"):
        services.doorbell.ring([services.ledger.requeue(isolate.id, by="kim", life=timedelta(days=1))])
        play(services)
        held = row(services, "isolate")
        assert expected in {held.reason, held.evidence}
    assert services.edrs["acme", "crowdstrike"].effects == [("isolate", "FIN-1")]


def test_an_edr_that_is_not_configured_any_more_is_an_outcome():
    services = some_services(edr=an_edr())
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.edrs.clear()
    services.doorbell.answer(services)
    assert states(services)["isolate"] == (State.FAILED, "acme has no crowdstrike configured")


def test_what_nobody_came_to_before_its_deadline_is_not_done_after_it():
    services = some_services(edr=an_edr())
    services.ledger.pause("acme", "*", "maintenance")
    ingest(services.ledger, services.doorbell, [published(iocs=(KILL,))])
    respond(services, [services.doorbell.rings.popleft().id])
    services.ledger.resume("acme", "*")
    services.clock.advance(timedelta(days=30))
    sweep(services)
    services.doorbell.answer(services)
    assert states(services)["isolate"] == (State.FAILED, "deadline passed: seen absent")
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_what_the_edr_could_not_do_is_told_in_its_words():
    services = some_services(edr=an_edr(looks=deque([Sight.ABSENT, Sight.PENDING, Sight.REFUSED]), takes_effect=False))
    play(services, published(iocs=()))
    assert states(services)["isolate"] == (State.FAILED, "the EDR could not: seen refused")


def test_an_order_of_somebody_else_is_waited_for_and_not_given_again():
    services = some_services(edr=an_edr(looks=deque([Sight.PENDING, Sight.PENDING, Sight.PRESENT])))
    play(services, published(iocs=()))
    assert states(services)["isolate"][0] == State.DONE
    assert services.edrs["acme", "crowdstrike"].effects == []


def test_an_error_right_after_an_order_was_accepted_only_means_another_look():
    services = some_services(edr=an_edr(looks=deque([Sight.ABSENT, VendorFault("503")])))
    ingest(services.ledger, services.doorbell, [published(iocs=())])
    services.doorbell.answer(services)
    assert row(services, "isolate").state == State.PERFORMED
    play(services)
    assert row(services, "isolate").state == State.DONE
    assert len(services.edrs["acme", "crowdstrike"].effects) == 1
