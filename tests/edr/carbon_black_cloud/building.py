"""What is asked of Carbon Black Cloud, and the device that it is asked of, in one word each."""

from __future__ import annotations

from ar_workers.domain.actions import KillProcess
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.indicators import Process
from tests.builders import EVIL, sha256
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.carbon_black_cloud import device_id

ASKED = Fact(sight=Sight.ABSENT)


def acted(rig, action):
    return rig.adapter.perform(action, rig.adapter.observe(action, None))


def on(rig):
    return {"customer": "acme", "edr": rig.vendor, "endpoint": rig.endpoint()}


def a_kill(rig, **process):
    return KillProcess(**on(rig), process=Process(**({"pid": 4711, "image_path": EVIL, "sha256": sha256(EVIL)} | process)))


def first(rig):
    return rig.simulation.world.endpoint("acme", device_id(FIRST))
