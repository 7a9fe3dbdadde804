"""Every channel's payload can be shown to a person before anything is sent."""

from __future__ import annotations

from ar_workers.cli.notify import payload_of


def test_the_payload_is_shown_without_sending_and_without_secrets(rig):
    shown = payload_of(rig.channel, rig.delivery, "acme:x:1")
    assert "ansomware" in shown
    assert "canary" not in shown
    assert rig.requests() == []
