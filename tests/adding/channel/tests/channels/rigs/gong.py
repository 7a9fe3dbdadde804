"""A gong."""

from __future__ import annotations

import json

from ar_workers.channels import gong
from ar_workers.channels.base import essentials
from ar_workers.domain.results import Answer
from tests.builders import a_delivery

from .base import BROKEN, CANARY, TOO_OFTEN, Kit, Rig, an_egress, is_clean


def a_gong(simulation):
    server = simulation.inboxes["gong"]
    config = gong.Config(url=f"{server.url}/?sig={CANARY}")
    return Rig(gong.Gong(config, an_egress(simulation, server)), simulation, "gong", a_delivery("gong"))


def _judge(channel, note):
    message = channel.render(note, "acme:gong:1")
    assert message["facts"] == essentials(note)
    assert is_clean(json.dumps(message, ensure_ascii=False))


KIT = Kit(
    inbox="gong",
    rigs={"gong": a_gong},
    outcomes=(("gong", TOO_OFTEN, Answer.RETRY), ("gong", BROKEN, Answer.UNKNOWN)),
    judge=_judge,
)
