"""What a worker does with SentinelOne, what the console answers, and where the recorded answers lie."""

from __future__ import annotations

import json
from pathlib import Path

from ar_workers.domain.facts import Fact, Sight
from ar_workers.simulator import Fault
from tests.edr.rigs.sentinelone import API

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "recorded" / "sentinelone"
NOT_SO = Fact(sight=Sight.ABSENT)


def performed(rig, verb, **change):
    action = rig.action(verb).model_copy(update=change)
    return action, rig.adapter.perform(action, rig.adapter.observe(action, None))


def answer_with(rig, path, body, method="*"):
    rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps(body), path=f"{API}/{path}", method=method))
