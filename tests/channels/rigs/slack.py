"""Slack by its API, and by an incoming webhook."""

from __future__ import annotations

import json

from ar_workers.channels import slack
from ar_workers.channels.base import essentials
from ar_workers.channels.templating import escaped
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from ar_workers.simulator.inboxes.slack import _block_problem
from tests.builders import a_delivery

from .base import AWAY, BROKEN, CANARY, ELSEWHERE, TOO_OFTEN, Kit, Rig, an_egress, is_clean

SETTINGS = {"token": f"xoxb-{CANARY}", "channels": ["C-TRE"], "hook": f"T0/B0/{CANARY}"}


def a_slack(simulation):
    config = slack.Config(token=SETTINGS["token"], channel="C-TRE", base_url=f"{simulation.inboxes['slack'].url}/api/", timeout=1)
    return Rig(slack.Slack(config), simulation, "slack", a_delivery("slack"))


def a_slack_hook(simulation):
    config = slack.Config(webhook_url=f"{simulation.inboxes['slack_hook'].url}/services/{SETTINGS['hook']}")
    return Rig(slack.Slack(config, an_egress(simulation, simulation.inboxes["slack_hook"])), simulation, "slack", a_delivery("slack"))


def _slack(channel, note):
    message = channel.render(note)
    assert _block_problem(message["blocks"]) is None
    link = f"<{note.threat.url}>" if note.threat else "none"
    marked = [block["text"]["text"] for block in message["blocks"] if block["text"]["type"] == "mrkdwn"]
    assert not any("<" in text.replace(link, "") or ">" in text.replace(link, "") for text in [*marked, message["text"]])
    assert is_clean(json.dumps(message, ensure_ascii=False))
    lines = "\n".join(marked).split("\n")
    assert lines[: len(essentials(note))] == [
        f"*{label}:* {link if label == 'Threat' else escaped(value)}" for label, value in essentials(note)
    ]


KIT = Kit(
    inbox="slack",
    settings=SETTINGS,
    rigs={"slack": a_slack, "slack hook": a_slack_hook},
    outcomes=(
        ("slack", Fault(action="reply", status=429, headers={"Retry-After": "7"}, body='{"ok":false,"error":"ratelimited"}'), Answer.RETRY),
        ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"invalid_auth"}'), Answer.PERMANENT),
        ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"channel_not_found"}'), Answer.PERMANENT),
        ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"internal_error"}'), Answer.UNKNOWN),
        ("slack", BROKEN, Answer.UNKNOWN),
        ("slack", Fault(action="reset_after"), Answer.UNKNOWN),
        ("slack", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
        ("slack hook", TOO_OFTEN, Answer.RETRY),
        ("slack hook", AWAY, Answer.RETRY),
        ("slack hook", BROKEN, Answer.UNKNOWN),
        ("slack hook", Fault(action="reply", status=404, body="no_service"), Answer.PERMANENT),
        ("slack hook", ELSEWHERE, Answer.PERMANENT),
        ("slack hook", Fault(action="reset_after"), Answer.UNKNOWN),
        ("slack hook", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ),
    judge=_slack,
)
