"""Each condition of each automation, its yes and its no."""

from __future__ import annotations

import typing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ar_workers.automations import AUTOMATIONS, KNOBS, plan_for
from ar_workers.domain import events
from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.events import (
    ActionStopped,
    DeliveryFailed,
    EndpointGrouped,
    NoteAdded,
    ReleaseRequested,
    RemediationRequested,
    ThreatClosed,
)
from ar_workers.domain.guards import Guard
from ar_workers.domain.indicators import Domain, File, FileHash, Process, RegistryKey
from ar_workers.domain.notifications import Audience, Kind, Receiver
from ar_workers.domain.plans import Plan
from ar_workers.domain.policies import FileResponse, MediumIsolation
from ar_workers.domain.states import State
from ar_workers.domain.threats import Author, Note, Severity
from ar_workers.domain.unread import Unread
from tests.builders import (
    EVIL,
    NOON,
    a_context,
    a_delivery,
    a_policy,
    a_row,
    a_summary,
    a_threat,
    a_threat_published,
    agent_id,
    an_endpoint,
    an_ioc,
    sha256,
)

OUTSIDE = an_endpoint("OPS-WS-11", groups=frozenset({"Workstations"}))
LINUX = an_endpoint("web-01", os=OS.LINUX)
TUESDAY_MORNING = datetime(2026, 11, 24, 16, tzinfo=UTC)  # 09:00 in Denver
TUESDAY_NIGHT = datetime(2026, 11, 24, 6, tzinfo=UTC)  # 23:00 in Denver


def planned(event=None, **context):
    return plan_for(event or a_threat_published(), a_context(**context))


def reasons(plan):
    return [skip.reason for skip in plan.skips]


def verbs(plan):
    return [action.verb for action in plan.actions]


def test_every_event_has_its_automations():
    tagged = typing.get_args(typing.get_args(events.Event)[0])
    assert set(AUTOMATIONS) == set(tagged)


def test_every_automation_names_its_knobs():
    modules = {automation.__module__.rpartition(".")[2] for each in AUTOMATIONS.values() for automation in each}
    assert set(KNOBS) == modules


@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.MEDIUM])
def test_high_and_medium_threats_isolate_and_tell_the_tres(severity):
    plan = planned(a_threat_published(threat=a_threat(severity=severity)))
    assert verbs(plan) == ["isolate"]
    assert [(note.audience, note.kind) for note in plan.notifications] == [(Audience.TRE, Kind.THREAT_PUBLISHED)]


def test_a_low_threat_does_nothing_and_tells_nobody():
    plan = planned(a_threat_published(threat=a_threat(severity=Severity.LOW), iocs=(an_ioc(),)))
    assert (plan.actions, plan.notifications) == ((), ())
    assert reasons(plan) == ["low severity: not automated"] * 2


def test_every_affected_endpoint_is_isolated():
    plan = planned(a_threat_published(endpoints=(an_endpoint("A"), an_endpoint("B"))))
    assert [action.endpoint.hostname for action in plan.actions] == ["A", "B"]


def test_an_endpoint_outside_gets_nothing_with_that_reason():
    plan = planned(a_threat_published(endpoints=(OUTSIDE,), iocs=(an_ioc(),)))
    assert plan.actions == ()
    assert reasons(plan) == ["not in a remediate group", "no affected endpoint with a supported OS is in a remediate group"]


def test_an_endpoint_of_unknown_groups_is_left_to_the_guard():
    assert verbs(planned(a_threat_published(endpoints=(an_endpoint(groups=None),)))) == ["isolate"]


def test_what_is_found_on_linux_alone_is_banned_nowhere():
    plan = planned(a_threat_published(endpoints=(LINUX,), iocs=(an_ioc(),)))
    assert reasons(plan)[1:] == ["no affected endpoint with a supported OS is in a remediate group"]


def test_a_ban_keeps_the_first_twenty_endpoints_that_justify_it():
    endpoints = tuple(an_endpoint(f"FIN-WS-{number}") for number in range(21))
    (ban,) = [each for each in planned(a_threat_published(endpoints=endpoints, iocs=(an_ioc(),))).actions if each.verb == "ban_hash"]
    assert ban.because == endpoints[:20]


def test_linux_is_never_isolated_and_the_tres_are_told():
    plan = planned(a_threat_published(endpoints=(LINUX,)))
    assert reasons(plan) == ["linux is not supported: never isolated by automation"]
    assert Kind.THREAT_PUBLISHED in [note.kind for note in plan.notifications]


@pytest.mark.parametrize(
    ("knob", "now", "isolates"),
    [
        (MediumIsolation.ALWAYS, TUESDAY_MORNING, True),
        (MediumIsolation.OUTSIDE_BUSINESS_HOURS, TUESDAY_MORNING, False),
        (MediumIsolation.OUTSIDE_BUSINESS_HOURS, TUESDAY_NIGHT, True),
    ],
)
def test_medium_threats_follow_the_customers_hours(knob, now, isolates):
    event = a_threat_published(threat=a_threat(severity=Severity.MEDIUM))
    plan = planned(event, policy=a_policy(medium_isolation=knob), now=now)
    assert bool(plan.actions) == isolates
    assert reasons(plan) == ([] if isolates else ["medium severity in business hours: a TRE decides"])


def test_high_threats_isolate_at_any_hour():
    policy = a_policy(medium_isolation=MediumIsolation.OUTSIDE_BUSINESS_HOURS)
    assert verbs(planned(policy=policy, now=TUESDAY_MORNING)) == ["isolate"]


ON_ENDPOINT = {"agent_id": agent_id("FIN-LT-07")}


@pytest.mark.parametrize(
    ("ioc", "verb"),
    [
        (an_ioc(FileHash(sha256=sha256("x"))), "ban_hash"),
        (an_ioc(Domain(domain="evil.example")), "ban_domain"),
        (an_ioc(Process(pid=4711, image_path=EVIL), **ON_ENDPOINT), "kill_process"),
        (an_ioc(File(path=EVIL), **ON_ENDPOINT), "delete_file"),
        (an_ioc(RegistryKey(key=r"HKCU\Software\Evil"), **ON_ENDPOINT), "delete_registry_key"),
    ],
)
def test_each_kind_of_ioc_has_its_action(ioc, verb):
    assert verbs(planned(a_threat_published(iocs=(ioc,)))) == ["isolate", verb]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"confirmed_malicious": False}, "not confirmed malicious"), ({"safe_to_act": False}, "not marked safe to act on")],
)
def test_an_ioc_that_the_analysts_did_not_release_is_skipped(changes, reason):
    assert reasons(planned(a_threat_published(iocs=(an_ioc(**changes),)))) == [reason]


def test_a_hash_of_a_type_that_the_edr_does_not_take_is_skipped_and_not_guessed():
    plan = planned(a_threat_published(iocs=(an_ioc(FileHash(sha1="a" * 40)),)))
    assert reasons(plan) == ["unsupported: crowdstrike bans sha256 or md5, which this IOC does not carry"]


@pytest.mark.parametrize(
    ("knob", "verbs_or_reason"),
    [
        (FileResponse.DELETE, ["isolate", "delete_file"]),
        (FileResponse.QUARANTINE_ELSE_DELETE, ["isolate", "delete_file"]),
        (FileResponse.QUARANTINE, "unsupported: crowdstrike on windows cannot quarantine file"),
    ],
)
def test_a_file_is_treated_as_the_customer_chose_and_the_edr_can(knob, verbs_or_reason):
    event = a_threat_published(iocs=(an_ioc(File(path=EVIL), **ON_ENDPOINT),))
    plan = planned(event, policy=a_policy(file_response=knob))
    assert verbs_or_reason in (verbs(plan), *reasons(plan))


@pytest.mark.parametrize("knob", [FileResponse.QUARANTINE, FileResponse.QUARANTINE_ELSE_DELETE])
def test_a_file_is_quarantined_where_the_edr_can(knob):
    groups = {Vendor.DEFENDER: frozenset({"Remediate"})}
    event = a_threat_published(endpoints=(an_endpoint(edr=Vendor.DEFENDER),), iocs=(an_ioc(File(path=EVIL), **ON_ENDPOINT),))
    plan = planned(event, policy=a_policy(remediate_groups=groups, file_response=knob))
    assert verbs(plan) == ["isolate", "quarantine_file"]


def test_there_is_no_registry_on_a_mac():
    mac = an_endpoint("MBP", os=OS.MACOS)
    ioc = an_ioc(RegistryKey(key=r"HKCU\Software\Evil"), agent_id=mac.agent_id)
    plan = planned(a_threat_published(endpoints=(mac,), iocs=(ioc,)))
    assert reasons(plan) == ["unsupported: crowdstrike on macos cannot delete registry key"]


def test_an_ioc_on_an_endpoint_that_is_not_of_the_threat_is_skipped():
    ioc = an_ioc(File(path=EVIL), agent_id="f" * 32)
    assert reasons(planned(a_threat_published(iocs=(ioc,)))) == ["names no endpoint of this threat"]


def test_a_target_that_must_not_be_touched_is_skipped_by_the_plan():
    ioc = an_ioc(File(path=r"C:\Windows\System32\lsass.exe"), **ON_ENDPOINT)
    assert reasons(planned(a_threat_published(iocs=(ioc,)))) == ["system or sensor file (\\windows\\system32): never touched by automation"]


def test_a_skip_of_a_long_path_plans_the_rest():
    """The label of an action is a hostname and a path, longer than a line, and whole all the same."""
    ioc = an_ioc(File(path=r"\\server\share\\" + "x" * 480), **ON_ENDPOINT)
    plan = planned(a_threat_published(iocs=(ioc,)))
    assert verbs(plan) == ["isolate"]
    assert plan.skips[0].subject == f"FIN-LT-07 {ioc.indicator.path}"


AN_ODD_ENDPOINT = Unread(kind="endpoint", shown="x y", reason="not read: agent_id has not the form of one")
AN_ODD_DOMAIN = Unread(kind="domain", shown="203.0.113.7", reason="IP address: not supported")
A_MUTEX = Unread(kind="mutex", shown="Global", reason="unsupported: no action exists for an indicator of this type")


def test_what_could_not_be_read_is_skipped_with_its_reason_and_told_and_the_rest_is_acted_on():
    unread = (AN_ODD_ENDPOINT, AN_ODD_DOMAIN, A_MUTEX)
    plan = planned(a_threat_published(iocs=(an_ioc(),), unread=unread))
    assert verbs(plan) == ["isolate", "ban_hash"]
    assert [(skip.verb, skip.subject) for skip in plan.skips] == [("isolate", "x y"), ("ban_domain", "203.0.113.7"), ("act_on", "Global")]
    assert reasons(plan) == [each.reason for each in unread]
    assert dict(plan.notifications[0].facts)["Not read"].startswith(
        f"3: {AN_ODD_ENDPOINT.line}; domain 203.0.113.7: IP address: not supported"
    )


def test_of_a_thousand_odd_parts_the_first_are_told_and_the_others_counted():
    (note,) = planned(a_threat_published(unread=(A_MUTEX,) * 1000)).notifications
    assert dict(note.facts)["Not read"] == "1000: " + f"{A_MUTEX.line}; " * 5 + "and 995 more"


def test_every_endpoint_of_a_threat_is_named():
    endpoints = tuple(an_endpoint(f"FIN-LT-{number:03}") for number in range(120))
    (note,) = planned(a_threat_published(endpoints=endpoints)).notifications
    assert dict(note.facts)["Endpoints"].split(", ") == [each.hostname for each in endpoints]


OLD = "created before polling began (2026-11-24 12:00 UTC): told, not acted on"


def test_what_is_told_only_is_told_and_not_acted_on():
    plan = planned(a_threat_published(iocs=(an_ioc(), an_ioc(safe_to_act=False)), endpoints=(an_endpoint(), LINUX), told_only=OLD))
    assert plan.actions == ()
    assert reasons(plan) == [OLD] * 4
    assert [note.kind for note in plan.notifications] == [Kind.THREAT_PUBLISHED, Kind.UNSUPPORTED_OS]
    assert ("Not acted on", OLD) in plan.notifications[0].facts


def test_of_a_low_threat_that_is_told_only_nobody_is_told():
    plan = planned(a_threat_published(threat=a_threat(severity=Severity.LOW), iocs=(an_ioc(),), told_only=OLD))
    assert (plan.notifications, set(reasons(plan))) == ((), {"low severity: not automated"})


def test_a_threat_of_unknown_severity_is_told_and_not_acted_on():
    plan = planned(a_threat_published(threat=a_threat(severity=Severity.UNKNOWN), iocs=(an_ioc(),)))
    assert (plan.actions, reasons(plan)) == ((), ["its severity is not known: told, not acted on"] * 2)
    assert plan.notifications[0].headline == "Threat of unknown severity published: THREAT-1042"


INDICATORS = st.sampled_from(
    [
        FileHash(sha256=sha256("x")),
        FileHash(sha1="a" * 40),
        Domain(domain="evil.example"),
        File(path=EVIL),
        File(path=r"\\server\share\x.exe"),
        RegistryKey(key=r"HKLM\Software\Evil"),
        Process(pid=4711, image_path=EVIL),
        Process(pid=4),
    ]
)
IOCS = st.builds(
    an_ioc,
    INDICATORS,
    confirmed_malicious=st.booleans(),
    safe_to_act=st.booleans(),
    agent_id=st.sampled_from([None, *(each.agent_id for each in (an_endpoint(), OUTSIDE, LINUX))]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    iocs=st.lists(IOCS, max_size=8),
    endpoints=st.lists(st.sampled_from([an_endpoint(), OUTSIDE, LINUX]), unique=True, max_size=3),
    severity=st.sampled_from(Severity),
    response=st.sampled_from(FileResponse),
    unread=st.lists(st.sampled_from([AN_ODD_ENDPOINT, AN_ODD_DOMAIN, A_MUTEX]), max_size=3),
    told_only=st.sampled_from(["", OLD]),
)
def test_every_ioc_and_every_endpoint_has_exactly_one_outcome(iocs, endpoints, severity, response, unread, told_only):
    threat = a_threat(severity=severity)
    event = a_threat_published(iocs=tuple(iocs), endpoints=tuple(endpoints), threat=threat, unread=tuple(unread), told_only=told_only)
    plan = planned(event, policy=a_policy(file_response=response))
    assert len(plan.actions) + len(plan.skips) == len(iocs) + len(endpoints) + len(unread)
    assert not (told_only and plan.actions)


def test_a_request_for_remediation_tells_the_tres():
    event = RemediationRequested(id="r", customer="acme", occurred_at=NOON, threat=a_threat(), requested_by="Robin")
    (note,) = planned(event).notifications
    assert (note.audience, note.kind, note.facts) == (Audience.TRE, Kind.REMEDIATION_REQUESTED, (("Requested by", "Robin"),))


def a_note(author, **changes):
    note = Note(author=author, name="Robin", text="We did that.", **changes)
    return NoteAdded(id="n", customer="acme", occurred_at=NOON, threat=a_threat(), note=note)


def test_a_customers_note_reaches_the_tres():
    (note,) = planned(a_note(Author.CUSTOMER)).notifications
    assert (note.audience, note.body) == (Audience.TRE, "We did that.")


def test_a_tres_note_reaches_the_customer_only_when_remediation_is_complete():
    assert planned(a_note(Author.TRE)).notifications == ()
    summary = a_summary(a_row(), a_row(State.HELD, verb="kill_process", subject="x", reason="protected endpoint: a TRE decides"))
    (note,) = planned(a_note(Author.TRE, remediation_complete=True), summary=summary).notifications
    assert (note.audience, note.kind) == (Audience.CUSTOMER, Kind.REMEDIATION_SUMMARY)
    assert (note.body, note.summary, note.other_facts) == ("We did that.", summary, (("Summary by", "Robin"),))
    assert ("Completed", "isolate FIN-LT-07 (Falcon shows status contained)") in note.facts


def grouped(endpoint):
    return EndpointGrouped(id="g", customer="acme", occurred_at=NOON, endpoint=endpoint)


def test_a_linux_endpoint_in_a_remediate_group_is_told_of():
    (note,) = planned(grouped(LINUX)).notifications
    assert (note.kind, note.once) == (Kind.UNSUPPORTED_OS, f"unsupported_os/crowdstrike/{LINUX.agent_id}")
    assert "Nothing will be done automatically" in note.body


@pytest.mark.parametrize(
    "endpoint",
    [
        an_endpoint(),
        an_endpoint(os=OS.UNKNOWN),
        LINUX.model_copy(update={"groups": frozenset()}),
        LINUX.model_copy(update={"groups": None}),
    ],
)
def test_other_endpoints_are_not_told_of(endpoint):
    assert planned(grouped(endpoint)).notifications == ()


def test_names_of_groups_are_cleaned_before_they_are_told():
    odd = LINUX.model_copy(update={"groups": frozenset({"Remediate", "a\u202eb\nc"})})
    (note,) = planned(grouped(odd)).notifications
    assert dict(note.facts)["Groups"] == "Remediate, a b c"


@pytest.mark.parametrize("reason", ["a\u202eb\nc", "a b c", " a  b c "])
def test_an_odd_reason_still_closes_a_threat(reason):
    event = ThreatClosed(id="c", customer="acme", occurred_at=NOON, threat=a_threat(), reason=reason)
    assert planned(event).closes == "threat closed: a b c"


def test_a_closed_threat_calls_off_what_is_queued_and_the_tres_are_told_why():
    event = ThreatClosed(id="c", customer="acme", occurred_at=NOON, threat=a_threat(), reason="remediated by us")
    plan = planned(event)
    assert (plan.closes, plan.actions) == ("threat closed: remediated by us", ())
    assert [(note.audience, note.kind, note.facts) for note in plan.notifications] == [
        (Audience.TRE, Kind.THREAT_CLOSED, (("Reason", "remediated by us"),))
    ]


def test_the_end_of_a_threat_that_nobody_was_told_of_is_told_to_nobody():
    low = ThreatClosed(id="c", customer="acme", occurred_at=NOON, threat=a_threat(severity="low"), reason="closed")
    assert (planned(low).closes, planned(low).notifications) == ("threat closed: closed", ())


def test_a_requested_release_is_done_whatever_the_groups_and_nobody_is_told():
    endpoint = an_endpoint(groups=frozenset(), os=OS.LINUX)
    event = ReleaseRequested(id="r", customer="acme", occurred_at=NOON, endpoint=endpoint, requested_by="kim", reason="false alarm")
    plan = plan_for(event, a_context())
    assert [(each.verb, each.lane) for each in plan.actions] == [("release", endpoint.agent_id)]
    assert (plan.notifications, plan.skips) == ((), ())


def test_a_failed_delivery_is_told_to_its_fallback_and_why_and_that_has_none():
    failed = a_delivery("sms", "+4930123456", fallback=Receiver(name="boss", channel="email", address="boss@acme.example"))
    event = DeliveryFailed(id=".failed-1", customer="acme", occurred_at=NOON, threat_ref="THREAT-1042", delivery=failed, reason="gone")
    (instead,) = plan_for(event, a_context()).deliveries
    assert (instead.receiver.name, instead.fallback) == ("boss", None)
    assert instead.notification.facts[-1] == ("Sent here because", "sms to +4930123456 failed: gone")


def test_a_failed_delivery_without_a_fallback_tells_nobody():
    event = DeliveryFailed(
        id=".failed-1", customer="acme", occurred_at=NOON, threat_ref="THREAT-1042", delivery=a_delivery(), reason="gone"
    )
    assert plan_for(event, a_context()) == Plan()


@pytest.mark.parametrize("guard", [*(each for each in Guard if each is not Guard.BLAST_RADIUS), "of_another_version"])
def test_what_a_guard_holds_is_decided_by_one_command_on_a_line_of_its_own(guard):
    to_tres, to_customer = planned(stopped(state="held", guard=guard, row="acme:isolate:1")).notifications
    assert commands(to_tres) == ["arctl actions requeue acme:isolate:1"]
    assert (to_tres.common, to_tres.incident, to_customer.body) == (None, ".held-1", "")


@pytest.mark.parametrize(("verb", "key"), [("isolate", "/isolate/too_many isolations"), ("ban_hash", "//too_many bans")])
def test_what_the_blast_radius_holds_of_a_customer_is_one_matter_whatever_the_edr(verb, key):
    told = [planned(stopped(state="held", guard=Guard.BLAST_RADIUS, row="r", verb=verb, edr=edr)).notifications[0] for edr in Vendor]
    assert {note.common.key for note in told} == {key}
    assert {note.incident for note in told} == {f"{key}/{NOON:%Y-%m-%d}"}


def test_what_an_older_version_held_is_looked_for():
    to_tres, _ = planned(stopped(state="held")).notifications
    assert commands(to_tres) == ["arctl actions --state held --customer acme"]


def test_a_cause_of_one_day_is_one_incident_and_another_one_on_the_next():
    two = [planned(stopped(cause="credential", occurred_at=NOON + timedelta(days=n))).notifications[0].incident for n in (0, 0, 1)]
    assert two[0] == two[1] != two[2]


def stopped(**changes):
    given = {"id": ".held-1", "customer": "acme", "occurred_at": NOON, "threat_ref": "T-1", "verb": "isolate", "subject": "FIN-1"}
    return ActionStopped(**{**given, "state": "failed", "reason": "no", "edr": "crowdstrike", **changes})


def commands(note):
    return [line for line in note.body.splitlines() if line.startswith("arctl ")]
