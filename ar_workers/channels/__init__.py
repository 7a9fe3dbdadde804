"""The channels, as a written list. To add one: `channels/x.py`, a line here, an inbox in the simulator, a rig in the tests."""

from __future__ import annotations

from .email import Email
from .pagerduty import PagerDuty
from .slack import Slack

CHANNELS = {"slack": Slack, "pagerduty": PagerDuty, "email": Email}
