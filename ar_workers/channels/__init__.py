"""The channels, as a written list. To add one: `channels/x.py`, a line here, an inbox in the simulator, a rig in the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from ..domain.checkups import Check
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
from .templating import Templates


class Entry(NamedTuple):
    """A line of the list: what its settings must be, and the class."""

    config: type[BaseModel]
    channel: Callable[..., Channel]
    #: Settings -> whether it would work, without telling anybody anything.
    probe: Callable[[Any], Check]


CHANNELS: dict[str, Entry] = {
    "slack": Entry(slack.Config, slack.Slack, slack.probe),
    "pagerduty": Entry(pagerduty.Config, pagerduty.PagerDuty, pagerduty.probe),
    "email": Entry(email.Config, email.Email, email.probe),
    "teams": Entry(teams.Config, teams.Teams, teams.probe),
    "webhook": Entry(webhook.Config, webhook.Webhook, webhook.probe),
    "sms": Entry(sms.Config, sms.SMS, sms.probe),
    "voice": Entry(voice.Config, voice.Voice, voice.probe),
    "syslog": Entry(syslog.Config, syslog.Syslog, syslog.probe),
}
#: Whose words templates give; the others have no room for any.
TEMPLATED = frozenset({"email", "slack", "teams"})


def made(name: str, config: BaseModel, templates: Templates) -> Channel:
    """A channel, with these templates if it takes any."""
    channel = CHANNELS[name].channel
    return channel(config, templates=templates) if name in TEMPLATED else channel(config)
