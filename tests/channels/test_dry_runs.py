"""What is told of a dry run says so by every channel, pages nobody, and is kept apart from what is in earnest."""

from __future__ import annotations

import json
import re

import pytest

from ar_workers.channels import CHANNELS, pagerduty
from ar_workers.channels.email import _matter
from ar_workers.channels.pagerduty import PagerDuty
from ar_workers.channels.syslog import GRADES, SEVERITIES
from ar_workers.channels.templating import Templates, check_templates
from ar_workers.cli.notify import payload_of
from ar_workers.domain.dry_runs import DryRun
from ar_workers.domain.notifications import Kind
from ar_workers.domain.threats import Severity
from tests.builders import a_delivery, a_notification

from .rigs import RIGS

LIVE = a_notification()
DRY = LIVE.marked(DryRun.YES)
PARTLY = LIVE.marked(DryRun.PARTLY)


def rendered(inboxes, name, note):
    rig = RIGS[name](inboxes)
    delivery = rig.delivery.model_copy(update={"notification": note})
    return payload_of(rig.channel, delivery, "acme:x:1")


@pytest.mark.parametrize("name", sorted(RIGS))
def test_every_channel_says_that_it_is_a_dry_run(inboxes, name):
    assert {each.split()[0] for each in RIGS} == set(CHANNELS)
    assert re.search(r"dry.run", rendered(inboxes, name, DRY), re.IGNORECASE)
    assert re.search(r"partly dry.run", rendered(inboxes, name, PARTLY), re.IGNORECASE) or name.startswith("voice")
    assert not re.search(r"\bdry run", rendered(inboxes, name, LIVE), re.IGNORECASE)


@pytest.mark.parametrize("name", sorted(each for each in RIGS if each.startswith(("sms", "voice"))))
def test_where_there_is_little_room_it_comes_first(inboxes, name):
    told = rendered(inboxes, name, DRY.model_copy(update={"customer": "c" * 63}))
    assert re.match(r"(<\?xml[^>]*>)?(<Response>)?(<Say[^>]*>)?\s*dry run", told, re.IGNORECASE), told


@pytest.fixture
def pager():
    return PagerDuty(pagerduty.Config(routing_key="x" * 32))


@pytest.mark.parametrize("changes", [{}, {"incident": "i-1"}, {"threat": None, "incident": "i-1"}], ids=["threat", "incident", "endpoint"])
@pytest.mark.parametrize("kind", [Kind.THREAT_PUBLISHED, Kind.ACTION_NEEDED, Kind.NOT_CONTAINED])
def test_a_dry_run_pages_with_info_under_a_key_of_its_own(pager, kind, changes):
    note = a_notification(kind=kind, **changes)
    live, dry = pager.render(note), pager.render(note.marked(DryRun.YES))
    assert live["payload"]["severity"] == "critical"
    assert dry["payload"]["severity"] == "info"
    assert dry["payload"]["summary"] == f"DRY RUN: {live['payload']['summary']}"
    assert dry["dedup_key"] != live["dedup_key"]
    assert pager.render(note.marked(DryRun.PARTLY))["dedup_key"] == live["dedup_key"]


def test_what_is_settled_resolves_the_page_that_was_in_earnest(pager):
    """A dry isolation is never told of as overdue: what is told of its end ends a page from before the dry run."""
    overdue, settled = (a_notification(kind=kind, incident="acme:isolate:1") for kind in (Kind.NOT_CONTAINED, Kind.CONTAINMENT_SETTLED))
    assert pager.render(settled.marked(DryRun.YES))["dedup_key"] == pager.render(overdue)["dedup_key"]


def test_mails_of_a_dry_run_are_a_thread_of_their_own(inboxes):
    rig = RIGS["email"](inboxes)
    live, dry = (rig.channel.render(rig.delivery.model_copy(update={"notification": note}), "acme:email:1") for note in (LIVE, DRY))
    live, dry = (each.decode() if isinstance(each, bytes) else str(each) for each in (live, dry))
    roots = [re.search(r"^References: (.*)$", each, re.MULTILINE)[1].strip() for each in (live, dry)]
    assert roots[0] != roots[1]
    assert _matter(DRY) == f"DRY RUN: {_matter(LIVE)}"


def test_a_webhook_says_it_in_a_field(inboxes):
    name = next(each for each in RIGS if each.startswith("webhook"))
    said = [json.loads(rendered(inboxes, name, note))["data"]["dry_run"] for note in (LIVE, PARTLY, DRY)]
    assert said == ["no", "partly", "yes"]


@pytest.mark.parametrize("name", sorted(each for each in RIGS if each.startswith("syslog")))
def test_a_siem_is_told_in_a_parameter_and_with_a_low_severity(inboxes, name):
    live, dry = rendered(inboxes, name, LIVE), rendered(inboxes, name, DRY)
    assert 'dry_run="yes"' in dry
    assert "dry_run" not in live
    priorities = [int(re.match(r"<(\d+)>", each)[1]) % 8 for each in (live, dry)]
    assert priorities == [SEVERITIES[Severity.HIGH], SEVERITIES[Severity.LOW]]
    assert GRADES[Severity.LOW] < GRADES[Severity.HIGH]


def test_a_template_that_leaves_it_out_is_not_used(tmp_path):
    (tmp_path / "default.mail.txt.j2").write_text("{% for label, value in essentials %}{{ label }}: {{ value }} {% endfor %}")
    assert check_templates(tmp_path) == []  # it was good enough before there were dry runs, and is for what is in earnest
    templates = Templates(tmp_path)
    assert not templates.words(LIVE, "mail.txt", lambda _: "instead").has_failed
    assert templates.words(DRY, "mail.txt", lambda _: "instead").has_failed


def test_one_delivery_in_earnest_and_a_dry_one_are_told_apart_in_lists():
    from ar_workers.domain.new_rows import delivery_row, timedelta

    dry = a_delivery().model_copy(update={"notification": DRY})
    rows = [delivery_row(each, "e-1", "THREAT-1042", life=timedelta(hours=1)) for each in (a_delivery(), dry)]
    assert [row.is_dry for row in rows] == [False, True]
    assert [row.subject for row in rows] == ["threat_published to tre", "DRY RUN: threat_published to tre"]
