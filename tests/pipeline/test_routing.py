"""Who is told in the end: routes, quiet hours, fallbacks, digests and threads, over the ledger."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import Denied
from ar_workers.domain.events import NoteAdded
from ar_workers.domain.indicators import Domain
from ar_workers.domain.new_rows import EventPlan, delivery_row
from ar_workers.domain.notifications import Receiver
from ar_workers.domain.policies import Policy
from ar_workers.domain.results import Answer, Result
from ar_workers.domain.routes import Route
from ar_workers.domain.states import State
from ar_workers.domain.threats import Author, Note
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.builders import NOON, a_delivery, a_threat, a_threat_published, an_endpoint, an_ioc
from tests.fakes import FakeChannel, FakeEDR, some_services
from tests.keys import SEALS

NEVER = Result(answer=Answer.PERMANENT, code="gone")
LOST = Result(answer=Answer.UNKNOWN, code="reset")


class Threading(FakeChannel):
    """A channel that also remembers in which threads it was asked to send."""

    def __init__(self, **more):
        super().__init__(**more)
        self.threads = []

    def send(self, delivery, delivery_id, *, thread=""):
        self.threads.append(thread)
        return super().send(delivery, delivery_id, thread=thread)


def routed(*routes, edr=None, **channels):
    """Services whose customer has these routes, and a receiver by the name of each channel."""
    policy = Policy(
        customer="acme",
        remediate_groups={Vendor.CROWDSTRIKE: frozenset({"Remediate"})},
        isolations_percent_of_group=100,
        summary_emails=("soc@acme.example",),
        unsupported_os_emails=("it@acme.example",),
        receivers={name: Receiver(name=name, channel="sms", address="+4930123456") for name in channels},
        routes=tuple(Route(**({"kinds": {"remediation_summary"}} | route)) for route in routes),
    )
    return some_services(policy=policy, edr=edr, receivers=channels)


def a_summary(number=1, **changes):
    note = Note(author=Author.TRE, name="Kim", text="All clear.", remediation_complete=True)
    threat = a_threat(id=f"T-{number}", url=f"https://ar.example/{number}")
    return NoteAdded(**({"id": f"n{number}", "customer": "acme", "occurred_at": NOON, "threat": threat, "note": note} | changes))


def play(services, *events, rounds=6, step=timedelta(minutes=6)):
    ingest(services.ledger, services.doorbell, events)
    for _ in range(rounds):
        services.doorbell.answer(services)
        services.clock.advance(step)
        sweep(services)
    services.doorbell.answer(services)


def told(services, threat="T-1"):
    return [(row.verb, row.state, row.reason) for row in services.ledger.rows("acme", threat) if row.kind == "delivery"]


def test_without_a_route_mail_goes_where_the_knobs_say():
    services = routed()
    play(services, a_summary())
    assert [sent.receiver.address for sent in services.channels["acme", ""].sent] == ["soc@acme.example"]


def test_a_route_replaces_the_default_of_its_kind_and_of_no_other():
    services = routed({"to": ("oncall",)}, oncall=FakeChannel())
    linux = an_endpoint("web-01", os=OS.LINUX)
    play(services, a_summary(), a_threat_published(threat=a_threat(severity="low"), endpoints=(linux,)))
    assert len(services.channels["acme", "oncall"].sent) == 1
    assert [sent.receiver.address for sent in services.channels["acme", ""].sent] == ["it@acme.example"]


def test_two_endpoints_of_one_threat_are_both_told_of():
    services = routed()
    endpoints = (an_endpoint("web-01", os=OS.LINUX), an_endpoint("web-02", os=OS.LINUX))
    play(services, a_threat_published(endpoints=endpoints))
    assert [sent.notification.facts[0][1] for sent in services.channels["acme", ""].sent] == ["web-01", "web-02"]


def test_that_no_route_takes_it_is_recorded():
    services = routed({"severities": {"low"}, "to": ("oncall",)}, oncall=FakeChannel())
    play(services, a_summary())
    assert told(services) == [("deliver", State.SKIPPED, "no route of the customer takes it")]


def test_the_tres_are_told_whatever_the_customer_routes():
    services = routed({"kinds": {"action_needed"}, "to": ("oncall",)}, oncall=FakeChannel(), edr=FakeEDR())
    play(services, a_threat_published(endpoints=()))
    assert [sent.notification.kind for sent in services.channels["tre", "slack"].sent] == ["threat_published"]


def test_quiet_hours_are_waited_for_and_then_it_is_told():
    quiet = {"zone": "UTC", "from": "11:00", "to": "12:30", "bypass": ["high"]}
    services = routed({"to": ("oncall",), "quiet": quiet}, oncall=FakeChannel())
    medium = a_summary(2, threat=a_threat(id="T-2", severity="medium"))
    play(services, a_summary(), medium, rounds=4)
    assert [sent.notification.threat.id for sent in services.channels["acme", "oncall"].sent] == ["T-1"]
    assert told(services, "T-2") == [("sms", State.PENDING, "")]
    play(services)
    assert [sent.notification.threat.id for sent in services.channels["acme", "oncall"].sent] == ["T-1", "T-2"]


def test_a_receiver_that_is_gone_from_the_configuration_fails_visibly():
    services = routed({"to": ("oncall",)}, oncall=FakeChannel())
    del services.channels["acme", "oncall"]
    play(services, a_summary())
    assert told(services) == [("sms", State.FAILED, "acme has no receiver oncall configured")]


def test_another_owners_receiver_is_never_used():
    services = routed({"to": ("slack",)}, slack=FakeChannel())
    play(services, a_summary())
    assert len(services.channels["acme", "slack"].sent) == 1
    assert services.channels["tre", "slack"].sent == []


def test_the_fallback_is_told_why_and_the_failure_is_still_shown():
    services = routed({"to": ("oncall",), "fallback": "boss"}, oncall=FakeChannel(answers=deque([NEVER])), boss=FakeChannel())
    play(services, a_summary())
    assert told(services) == [("sms", State.FAILED, "gone"), ("sms", State.DONE, "")]
    (sent,) = services.channels["acme", "boss"].sent
    assert sent.notification.facts[-1] == ("Sent here because", "sms to +4930123456 failed: gone")


def test_a_fallback_has_no_fallback():
    both = FakeChannel(answers=deque([NEVER] * 9))
    services = routed({"to": ("oncall",), "fallback": "boss"}, oncall=both, boss=both)
    play(services, a_summary(), rounds=12)
    assert [state for _, state, _ in told(services)] == [State.FAILED, State.FAILED]


def test_a_failed_action_is_told_to_the_tres_and_to_whom_the_customer_routes_it():
    edr = FakeEDR(endpoints={an_endpoint().agent_id: an_endpoint()}, answers=deque([Denied("policy")]))
    services = routed({"kinds": {"action_needed"}, "to": ("oncall",)}, oncall=FakeChannel(), edr=edr)
    play(services, a_threat_published())
    (sent,) = services.channels["acme", "oncall"].sent
    assert sent.notification.headline == "Action needed: isolate FIN-LT-07 failed"
    assert sent.notification.facts[-1] == ("Reason", "Denied: policy")
    for name in ("slack", "pagerduty"):
        assert [each.notification.kind for each in services.channels["tre", name].sent] == ["threat_published", "action_needed"]


def test_a_storm_of_stopped_actions_is_told_to_the_tres_as_one():
    iocs = tuple(an_ioc(Domain(domain=f"evil{n}.example")) for n in range(12))
    edr = FakeEDR(endpoints={an_endpoint().agent_id: an_endpoint()}, answers=deque([Denied("policy")] * 13))
    services = routed(edr=edr)
    play(services, a_threat_published(iocs=iocs))
    said = [sent.notification.headline for sent in services.channels["tre", "slack"].sent if "isolate" not in sent.notification.headline]
    assert len(said) == 1 + 5 + 1
    assert said[-1] == "7 more notifications: action needed"


DIGEST = {"to": ("oncall",), "digest": {"more_than": 2, "within": "10m"}}


def test_the_first_few_are_told_alone_and_the_rest_together_with_their_links():
    services = routed(DIGEST, oncall=FakeChannel())
    play(services, *(a_summary(n) for n in range(6)))
    *alone, digest = services.channels["acme", "oncall"].sent
    assert [sent.notification.threat.id for sent in alone] == ["T-0", "T-1"]
    assert digest.notification.headline == "4 more notifications: remediation summary"
    assert [label for label, _ in digest.notification.facts] == ["T-2", "T-3", "T-4", "T-5"]
    assert all("https://ar.example/" in value for _, value in digest.notification.facts)


def test_what_was_told_in_a_digest_says_in_which():
    services = routed(DIGEST, oncall=FakeChannel())
    play(services, *(a_summary(n) for n in range(5)))
    (carrier,) = services.ledger.rows("acme", "T-2")
    assert carrier.state is State.DONE
    for number in (3, 4):
        assert told(services, f"T-{number}") == [("sms", State.DONE, f"in digest {carrier.id}")]


def test_a_digest_that_fails_fails_what_was_in_it_and_all_of_it_goes_to_the_fallback():
    answers = deque([Result(answer=Answer.ACCEPTED)] * 2 + [NEVER])
    services = routed(DIGEST | {"fallback": "boss"}, oncall=FakeChannel(answers=answers), boss=FakeChannel())
    play(services, *(a_summary(n) for n in range(4)), rounds=12)
    assert [state for _, state, _ in told(services, "T-3")] == [State.FAILED, State.DONE]
    assert [sent.notification.threat.id for sent in services.channels["acme", "boss"].sent] == ["T-2", "T-3"]


def test_what_a_person_brings_back_out_of_a_failed_digest_is_told_alone():
    answers = deque([Result(answer=Answer.ACCEPTED)] * 2 + [NEVER])
    services = routed(DIGEST, oncall=FakeChannel(answers=answers))
    play(services, *(a_summary(n) for n in range(4)))
    (row,) = services.ledger.rows("acme", "T-3")
    services.doorbell.ring([services.ledger.requeue(row.id, by="kim", life=timedelta(hours=1))])
    play(services)
    assert services.channels["acme", "oncall"].sent[-1].notification.threat.id == "T-3"


def test_a_digest_in_doubt_is_settled_for_all_by_a_persons_word():
    answers = deque([Result(answer=Answer.ACCEPTED)] * 2 + [LOST])
    services = routed(DIGEST, oncall=FakeChannel(answers=answers))
    play(services, *(a_summary(n) for n in range(4)))
    (carrier,) = services.ledger.rows("acme", "T-2")
    assert (carrier.state, services.ledger.rows("acme", "T-3")[0].state) == (State.UNKNOWN, State.PENDING)
    services.ledger.resolve(carrier.id, by="kim", was_sent=True)
    play(services)
    assert told(services, "T-3") == [("sms", State.DONE, f"in digest {carrier.id}")]


def test_what_follows_about_a_threat_goes_into_its_thread():
    slack = Threading()
    services = some_services(edr=FakeEDR(), channels={"slack": slack, "pagerduty": FakeChannel(dedupes=True)})
    note = Note(author=Author.CUSTOMER, name="Robin", text="Expected.")
    play(services, a_threat_published())
    play(services, a_summary(threat=a_threat(), note=note))
    assert slack.threads[0] == ""
    first = next(row for row in services.ledger.rows("acme", a_threat().id) if row.verb == "slack")
    assert set(slack.threads[1:]) == {first.reference}


def test_the_kill_switch_lets_people_be_told():
    services = some_services(edr=FakeEDR())
    services.ledger.pause("acme", "*", "change freeze")
    play(services, a_threat_published())
    assert len(services.channels["tre", "slack"].sent) == 1


class Crash(BaseException):
    """The worker is gone: nothing after this runs in it."""


class Dying(FakeChannel):
    """Sends, and takes its worker along, once."""

    def send(self, delivery, delivery_id, *, thread=""):
        super().send(delivery, delivery_id, thread=thread)
        if len(self.sent) == 1:
            raise Crash
        raise AssertionError("a second message")


@pytest.fixture
def over_redis(real_redis, redis_url):
    """Services over a real Redis, with one delivery recorded."""
    ledger = RedisLedger(connect(redis_url), grace=timedelta(0), least_remaining=timedelta(milliseconds=1), seals=SEALS)

    def prepared(channel, lease):
        services = some_services(ledger=ledger, channels={"slack": channel}, lease=lease)
        event = a_threat_published()
        delivery = a_delivery()
        delivery = delivery.model_copy(update={"receiver": Receiver(name="slack", channel="slack", address="tre")})
        row = delivery_row(delivery, event.id, event.threat_id, life=timedelta(hours=1))
        ledger.accept([event])
        ledger.record([EventPlan(event=event, rows=[row])])
        return SimpleNamespace(services=services, row_id=row.id, row=lambda: ledger.row(row.id))

    return prepared


def test_twelve_copies_of_one_task_at_once_give_one_message(over_redis):
    channel = FakeChannel()
    case = over_redis(channel, timedelta(seconds=30))
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: deliver(case.services, [case.row_id]), range(12)))
    assert len(channel.sent) == 1
    assert case.row().state is State.DONE


def test_a_crash_between_sending_and_recording_never_gives_a_second_message(over_redis):
    channel = Dying()
    lease = timedelta(milliseconds=100)
    case = over_redis(channel, lease)
    with pytest.raises(Crash):
        deliver(case.services, [case.row_id])
    while case.row().state is State.LEASED:
        time.sleep(0.02)
        deliver(case.services, [case.row_id])
    assert len(channel.sent) == 1
    assert case.row().state is State.UNKNOWN
    assert case.services.ledger.resolve(case.row_id, by="kim", was_sent=True) == []
    deliver(case.services, [case.row_id])
    assert case.row().state is State.DONE


def test_an_isolation_that_fails_is_nobodys_line_in_a_digest():
    endpoints = tuple(an_endpoint(f"PC-{n}") for n in range(12))
    edr = FakeEDR(endpoints={each.agent_id: each for each in endpoints}, answers=deque([Denied("policy")] * 12))
    digest = {"more_than": 2, "within": "10m"}
    services = routed({"kinds": {"action_needed"}, "to": ("oncall",), "digest": digest}, edr=edr, oncall=FakeChannel())
    play(services, a_threat_published(endpoints=endpoints))
    for name in (("tre", "slack"), ("tre", "pagerduty"), ("acme", "oncall")):
        told = [each.notification for each in services.channels[name].sent if each.notification.kind == "action_needed"]
        assert len({each.incident for each in told}) == len(told) == 12
