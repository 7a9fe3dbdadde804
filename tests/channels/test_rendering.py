"""Every kind of notification by every channel, whatever is in it: valid, within the limits, and whole in its essentials."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from ar_workers.channels import CHANNELS
from ar_workers.channels.templating import FAILED

from .hostile import notifications
from .rigs import JUDGES, RIGS


def test_every_channel_has_a_judge():
    assert {name.split()[0] for name in JUDGES} == set(CHANNELS)


@pytest.mark.parametrize("name", sorted(JUDGES))
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(note=notifications())
def test_whatever_is_told_is_valid_and_whole(inboxes, caplog, name, note):
    JUDGES[name](RIGS[name](inboxes).channel, note)
    assert caplog.records == [], FAILED
