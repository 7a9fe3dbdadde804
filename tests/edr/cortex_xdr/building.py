"""What Cortex XDR answers, and what a worker does with it."""

from __future__ import annotations

import json

from ar_workers.simulator import Fault

SHELL = ("kill_process", "delete_file", "delete_registry_key")


def says(rig, path, reply, *, status=200, **more):
    """From now on the vendor answers `path` so."""
    rig.simulation.faults.add(Fault(action="reply", status=status, body=json.dumps({"reply": reply}), path=path, **more))


def performed(rig, verb):
    action = rig.action(verb)
    return action, rig.adapter.perform(action, rig.adapter.observe(action, None))


def an_error(extra, code=500):
    return {"err_code": code, "err_msg": "An error occurred while processing XDR public API", "err_extra": extra}
