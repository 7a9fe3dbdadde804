"""The channels, as a written list. To add one: `channels/x.py`, a line here, an inbox in the simulator, a rig in the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from ..ports import Channel
from . import (
    email,
    pagerduty,
    slack,
    sms,
    syslog,
    teams,
    voice,
    webhook,
)


class Entry(NamedTuple):
    """A line of the list: what its settings must be, and the class."""

    config: type[BaseModel]
    channel: Callable[[Any], Channel]


CHANNELS: dict[str, Entry] = {
    "slack": Entry(slack.Config, slack.Slack),
    "pagerduty": Entry(pagerduty.Config, pagerduty.PagerDuty),
    "email": Entry(email.Config, email.Email),
    "teams": Entry(teams.Config, teams.Teams),
    "webhook": Entry(webhook.Config, webhook.Webhook),
    "sms": Entry(sms.Config, sms.SMS),
    "voice": Entry(voice.Config, voice.Voice),
    "syslog": Entry(syslog.Config, syslog.Syslog),
}
