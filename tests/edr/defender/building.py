"""What a worker does with Defender, in one word each."""

from __future__ import annotations

from ar_workers.domain.facts import Fact, Sight

NOT_SO = Fact(sight=Sight.ABSENT)


def asked(rig, action):
    return rig.adapter.perform(action, rig.adapter.observe(action, None))
