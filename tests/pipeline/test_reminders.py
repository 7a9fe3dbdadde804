"""An isolation that has not happened is told: when, how often, why, until when, and once whatever crashes."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from ar_workers.domain.errors import Denied, EndpointOffline
from ar_workers.domain.events import ReleaseRequested
from ar_workers.domain.facts import Sight
from ar_workers.domain.notifications import Kind
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.states import State
from ar_workers.domain.threats import Severity
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.reminders import remind
from ar_workers.pipeline.sweep import sweep
from tests.builders import NOON, a_policy
from tests.fakes import FakeChannel, some_services

from .building import FIN, THREAT, an_edr, published, row

MINUTE = timedelta(minutes=1)
MEDIUM = THREAT.model_copy(update={"severity": Severity.MEDIUM})


def pending(**more):
    """Services whose isolation the EDR has accepted, and that the endpoint does not take."""
    edr = an_edr(takes_effect=False, looks=deque([Sight.ABSENT, *[Sight.PENDING] * 10_000]))
    services = some_services(edr=edr, **more)
    return services, edr


def begun(services, **changes):
    ingest(services.ledger, services.doorbell, [published(iocs=(), **changes)])
    services.doorbell.answer(services)


def after(services, span, *, step=None):
    """Let the time pass as beat and workers do, in a dozen steps or of five minutes."""
    end, step = services.clock.now() + span, step or max(5 * MINUTE, span / 12)
    while services.clock.now() < end:
        services.clock.advance(min(step, end - services.clock.now()))
        remind(services)
        sweep(services)
        services.doorbell.answer(services)


def told(services, channel="slack", kind=Kind.NOT_CONTAINED):
    return [each.notification for each in services.channels["tre", channel].sent if each.notification.kind is kind]


def test_an_isolation_that_is_not_in_effect_is_told_after_a_quarter_of_an_hour_then_an_hour_then_daily():
    services, _ = pending()
    begun(services)
    counts = []
    for span in (14 * MINUTE, 2 * MINUTE, 55 * MINUTE, 10 * MINUTE, timedelta(hours=21), timedelta(hours=6), timedelta(hours=26)):
        after(services, span)
        counts.append(len(told(services)))
    assert counts == [0, 1, 1, 2, 2, 3, 4]
    assert len(told(services, "pagerduty")) == 4


def test_of_a_medium_threat_it_is_told_after_an_hour():
    services, _ = pending()
    begun(services, threat=MEDIUM)
    after(services, 58 * MINUTE)
    assert told(services) == []
    after(services, 5 * MINUTE)
    assert len(told(services)) == 1


def test_the_customer_says_how_long():
    services, _ = pending(policy=a_policy(high_within=timedelta(minutes=2)))
    begun(services)
    after(services, 3 * MINUTE, step=MINUTE)
    assert told(services)[0].headline == "Not contained after 2 min: FIN-1"


def reason_told(services):
    after(services, 20 * MINUTE)
    (note,) = told(services)
    return dict(note.facts)


def test_it_says_that_the_endpoint_is_offline():
    services = some_services(edr=an_edr(looks=deque([EndpointOffline("the sensor is away")] * 1000)))
    begun(services)
    facts = reason_told(services)
    assert facts["Why"] == "EndpointOffline: the sensor is away"
    assert facts["State"] == "pending: not done yet"
    assert f"arctl actions acknowledge {row(services, 'isolate').id} " in facts["Next"]


def test_it_says_what_the_edr_shows_of_an_accepted_order():
    services, _ = pending()
    begun(services)
    assert reason_told(services)["Why"] == "seen pending"


def test_it_says_that_a_guard_holds_it_and_how_to_let_it_pass():
    services = some_services(edr=an_edr(), policy=a_policy(protected_endpoints={"FIN-1"}))
    begun(services)
    facts = reason_told(services)
    assert (facts["State"], facts["Why"]) == ("held: held", "protected endpoint (name FIN-1): a TRE decides")
    assert f"arctl actions requeue {row(services, 'isolate').id} lets it pass" in facts["Next"]


def test_it_says_that_the_kill_switch_holds_it():
    services = some_services(edr=an_edr())
    services.ledger.pause("acme", "*", "change freeze")
    begun(services)
    facts = reason_told(services)
    assert facts["Why"] == "paused (*): change freeze"
    assert "arctl resume" in facts["Next"]


def test_what_was_contained_in_time_is_not_told_of():
    services = some_services(edr=an_edr())
    begun(services)
    after(services, timedelta(hours=3))
    assert told(services) + told(services, kind=Kind.CONTAINMENT_SETTLED) == []


def test_once_contained_one_message_says_so_and_nothing_more_comes():
    services, edr = pending()
    begun(services)
    after(services, 20 * MINUTE)
    edr.looks = deque([Sight.PRESENT])
    after(services, timedelta(days=3))
    assert len(told(services)) == 1
    for channel in ("slack", "pagerduty"):
        (settled,) = told(services, channel, Kind.CONTAINMENT_SETTLED)
        assert (settled.headline, settled.incident) == ("Contained now: FIN-1", told(services)[0].incident)


def test_a_release_ends_the_reminders_and_says_who_released():
    services, edr = pending()
    begun(services)
    after(services, 20 * MINUTE)
    edr.looks.clear()
    edr.takes_effect = True
    wish = {"id": "r1", "customer": "acme", "occurred_at": NOON, "endpoint": FIN, "requested_by": "kim", "reason": "false alarm"}
    ingest(services.ledger, services.doorbell, [ReleaseRequested(**wish)])
    after(services, timedelta(days=2))
    (settled,) = told(services, kind=Kind.CONTAINMENT_SETTLED)
    assert (settled.headline, settled.facts[-1]) == ("Isolation called off: FIN-1", ("Why", "released by kim"))
    assert len(told(services)) == 1
    assert told(services, kind=Kind.ACTION_NEEDED) == []


def test_a_failure_ends_the_reminders_and_is_told_by_itself():
    services, edr = pending()
    begun(services)
    after(services, 20 * MINUTE)
    edr.looks = deque([Denied("gone")])
    after(services, 20 * MINUTE)
    after(services, timedelta(days=2))
    assert row(services, "isolate").state is State.FAILED
    assert (len(told(services)), len(told(services, kind=Kind.CONTAINMENT_SETTLED))) == (1, 0)
    assert len(told(services, kind=Kind.ACTION_NEEDED)) == 1


def test_what_was_told_of_failed_and_was_requeued_is_settled_by_one_message():
    services, edr = pending()
    begun(services)
    after(services, 20 * MINUTE)
    edr.looks = deque([Denied("gone"), Sight.PRESENT])
    after(services, timedelta(hours=1))
    services.doorbell.ring([services.ledger.requeue(row(services, "isolate").id, by="kim", life=timedelta(days=1))])
    after(services, timedelta(hours=3))
    assert len(told(services, kind=Kind.CONTAINMENT_SETTLED)) == 1


def test_an_acknowledgement_ends_the_reminders_and_not_the_isolation():
    services, edr = pending()
    begun(services)
    after(services, 20 * MINUTE)
    name = row(services, "isolate").id
    assert services.ledger.acknowledge(name, by="kim", reason="in the post") is None
    after(services, timedelta(days=2))
    assert len(told(services)) == 1
    kept = row(services, "isolate")
    assert (kept.state, kept.acknowledged_by, kept.acknowledged_why) == (State.PERFORMED, "kim", "in the post")
    edr.looks = deque([Sight.PRESENT])
    after(services, timedelta(hours=1))
    assert row(services, "isolate").state is State.DONE
    assert len(told(services, kind=Kind.CONTAINMENT_SETTLED)) == 1


def test_a_requeue_begins_the_reminders_anew():
    services = some_services(edr=an_edr(), policy=a_policy(protected_endpoints={"FIN-1"}))
    begun(services)
    name = row(services, "isolate").id
    services.ledger.acknowledge(name, by="kim", reason="asked the owner")
    services.edrs["acme", "crowdstrike"].looks = deque([EndpointOffline("away")] * 1000)
    services.ledger.requeue(name, by="kim", life=timedelta(days=1))
    after(services, 20 * MINUTE)
    assert len(told(services)) == 1
    assert row(services, "isolate").acknowledged_by == ""


def test_a_second_look_and_a_second_beat_tell_nothing_twice():
    services, _ = pending()
    begun(services)
    services.clock.advance(16 * MINUTE)
    assert [services.ledger.remind(100), services.ledger.remind(100)] == [1, 0]
    for _ in range(3):
        sweep(services)
        services.doorbell.answer(services)
        services.clock.advance(MINUTE)
    assert len(told(services)) == 1


def test_beats_that_were_away_for_days_tell_once():
    services, _ = pending()
    begun(services)
    after(services, timedelta(days=3), step=timedelta(days=3))
    assert len(told(services)) == 1


def test_another_threat_of_higher_severity_shortens_the_wait():
    services, _ = pending()
    begun(services, threat=MEDIUM)
    ingest(services.ledger, services.doorbell, [published(id="e2", iocs=(), threat=THREAT.model_copy(update={"id": "THREAT-2"}))])
    after(services, 20 * MINUTE)
    assert len(told(services)) == 1


@pytest.mark.parametrize("answer", [Answer.RETRY, Answer.UNKNOWN])
def test_a_late_reminder_is_not_told_of_what_is_contained_by_now(answer):
    """A page that comes behind its own end would stay open."""
    down = Result(answer=answer, code="down")
    pagerduty = FakeChannel(dedupes=True)
    services, edr = pending(channels={"slack": FakeChannel(), "pagerduty": pagerduty, "email": FakeChannel()})
    begun(services)
    pagerduty.answers = deque([down])
    services.clock.advance(16 * MINUTE)
    remind(services)
    sweep(services)
    services.doorbell.answer(services)
    pagerduty.sent.clear()
    edr.looks = deque([Sight.PRESENT])
    after(services, timedelta(hours=1))
    assert [each.notification.kind for each in pagerduty.sent] == [Kind.CONTAINMENT_SETTLED]
    (late,) = [
        each for each in services.ledger.rows("acme", "THREAT-1") if each.subject.startswith("not_contained") and each.verb == "pagerduty"
    ]
    assert (late.state, late.reason.endswith("not told any more: the isolation is done by now")) == (State.SKIPPED, True)
