"""PagerDuty: three facts and no more, and one alert per threat."""

from __future__ import annotations

from hypothesis import given, settings

from ar_workers.channels import pagerduty
from ar_workers.domain.notifications import Kind
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_delivery, a_notification, a_threat

from .hostile import TEXT, a_hostile_notification
from .rigs.pagerduty import a_pagerduty


@settings(max_examples=60, deadline=None)
@given(headline=TEXT, value=TEXT, body=TEXT)
def test_pagerduty_is_given_nothing_but_url_severity_and_classification(headline, value, body):
    note = a_hostile_notification(headline, "host-SECRET-name", body)
    note = note.model_copy(update={"threat": a_threat().model_copy(update={"classification": value})})
    event = pagerduty.PagerDuty(pagerduty.Config(routing_key="x")).render(note)
    assert set(event) == {"payload", "dedup_key", "links"}
    assert set(event["payload"]) == {"summary", "source", "severity", "class", "custom_details"}
    assert set(event["payload"]["custom_details"]) == {"threat_url", "severity", "classification"}
    assert len(event["payload"]["summary"]) <= 1024
    assert "SECRET" not in str(event)


def test_one_threat_has_one_dedup_key_and_two_customers_have_two():
    channel = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))
    keys = [
        channel.render(a_notification(customer=name, headline=head))["dedup_key"]
        for name, head in (("acme", "a"), ("acme", "b"), ("globex", "a"))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_pagerduty_has_nothing_to_say_without_a_threat(simulation):
    rig = a_pagerduty(simulation)
    assert rig.channel.send(a_delivery("pagerduty", threat=None), "x").answer is Answer.PERMANENT


def test_a_remediated_threat_is_told_under_the_same_key_and_wakes_nobody():
    channel = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))
    published, over = (channel.render(a_notification(kind=kind)) for kind in (Kind.THREAT_PUBLISHED, Kind.REMEDIATION_SUMMARY))
    assert published["dedup_key"] == over["dedup_key"]
    assert (published["payload"]["severity"], over["payload"]["severity"]) == ("critical", "info")
    assert over["payload"]["summary"] == "HIGH threat remediated: Malicious Software (Ransomware)"


def test_a_test_opens_an_alert_of_its_own_and_resolves_it(simulation):
    rig = a_pagerduty(simulation)
    assert rig.channel.test().answer is Answer.ACCEPTED
    opened, resolved = (each["body"] for each in rig.messages())
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"] != rig.channel.render(rig.delivery.notification)["dedup_key"]
    assert opened["payload"]["summary"].startswith("[TEST]")


def test_a_test_that_is_refused_resolves_nothing(simulation):
    rig = a_pagerduty(simulation)
    simulation.faults.add(Fault(action="reply", status=400, vendor="pagerduty"))
    assert rig.channel.test().answer is Answer.PERMANENT
    assert len(rig.requests()) == 1


def test_what_waits_for_a_person_is_paged_anew_and_not_under_its_threat():
    channel = pagerduty.PagerDuty(pagerduty.Config(routing_key="x"))
    stopped = {"kind": Kind.ACTION_NEEDED, "headline": "Action needed: isolate FIN-LT-07 is held"}
    published = channel.render(a_notification())
    held, failed = (channel.render(a_notification(**stopped, incident=name)) for name in (".held-1", ".failed-1"))
    assert len({each["dedup_key"] for each in (published, held, failed)}) == 3
    assert held["payload"]["summary"] == "HIGH action needed: Malicious Software (Ransomware)"


def test_a_release_that_failed_is_paged_though_it_is_about_no_threat(simulation):
    rig = a_pagerduty(simulation)
    delivery = a_delivery("pagerduty", threat=None, kind=Kind.ACTION_NEEDED, headline="Action needed: release", incident=".failed-1")
    assert rig.channel.send(delivery, "x").answer is Answer.ACCEPTED
    assert rig.messages()[0]["body"]["payload"]["severity"] == "critical"


def test_what_was_paged_as_not_contained_is_resolved_under_the_same_key(simulation):
    rig = a_pagerduty(simulation)
    for kind in (Kind.NOT_CONTAINED, Kind.CONTAINMENT_SETTLED):
        delivery = a_delivery("pagerduty", kind=kind, headline="Not contained after 15 min: FIN-LT-07", incident="acme:isolate:1")
        assert rig.channel.send(delivery, "x").answer is Answer.ACCEPTED
    opened, resolved = (each["body"] for each in rig.messages())
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"]
    assert opened["payload"]["summary"] == "HIGH not contained yet: Malicious Software (Ransomware)"
