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
    teams,
    webhook,
)
from .templating import Templates


class Entry(NamedTuple):
    """A line of the list: what its settings must be, the class, and whether templates give it its words."""

    config: type[BaseModel]
    channel: Callable[..., Channel]
    is_templated: bool = False

    def made(self, config: BaseModel, *parts: Any, templates: Templates) -> Channel:
        """The channel, with these templates if it takes any."""
        return self.channel(config, *parts, **({"templates": templates} if self.is_templated else {}))


CHANNELS: dict[str, Entry] = {
    "slack": Entry(slack.Config, slack.Slack, is_templated=True),
    "pagerduty": Entry(pagerduty.Config, pagerduty.PagerDuty),
    "email": Entry(email.Config, email.Email, is_templated=True),
    "teams": Entry(teams.Config, teams.Teams, is_templated=True),
    "webhook": Entry(webhook.Config, webhook.Webhook),
}
