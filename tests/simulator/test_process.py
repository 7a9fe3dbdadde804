"""The simulator as a process: told by its files and its control door, stopped by a signal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from ar_workers.simulator import Simulation, World
from tests.simulator.worlds import AID, a_tenant, an_alert


@contextmanager
def process(folder, *more):
    (folder / "world.json").write_text(json.dumps({"tenants": {"acme": a_tenant()}}))
    ready = folder / "ready.json"
    files = ["--world", str(folder / "world.json"), "--ready-file", str(ready), "--journal", str(folder / "journal.ndjson")]
    with subprocess.Popen([sys.executable, "-m", "ar_workers.simulator", *files, *more], stdout=subprocess.PIPE) as child:
        try:
            deadline = time.monotonic() + 20
            while not ready.exists() and time.monotonic() < deadline and child.poll() is None:
                time.sleep(0.02)
            yield child, json.loads(ready.read_text())
        finally:
            child.kill()


def told(method, url, body=None):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request, timeout=5) as reply:
        return json.load(reply)


def test_a_process_is_told_what_happens_and_stops_when_asked(tmp_path):
    with process(tmp_path) as (child, addresses):
        door = f"{addresses['control']}/_control"
        told("POST", f"{door}/faults", {"action": "reply", "path": "/oauth2/token", "status": 418})
        with pytest.raises(urllib.error.HTTPError) as refused:
            told("POST", f"{addresses['crowdstrike']}/oauth2/token", {})
        refused.value.close()
        assert refused.value.code == 418
        assert [one["status"] for one in told("GET", f"{door}/journal?since=0")] == [418]
        assert told("PATCH", f"{door}/endpoints/acme/{AID}", {"online": False, "groups": []})["online"] is False
        assert told("POST", f"{door}/alerts/acme", an_alert(1, "2026-01-01T00:00:00Z"))["composite_id"] == "cid:ind:1"
        assert told("POST", f"{door}/clock", {"advance": 1000})["now"] > time.time() + 990
        assert told("GET", f"{door}/world")["tenants"]["acme"]["endpoints"][0]["groups"] == []
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    assert json.loads((tmp_path / "journal.ndjson").read_text().splitlines()[0])["kind"] == "request"


@pytest.mark.parametrize(("path", "body"), [("faults", {"action": "explode"}), ("clock", {}), ("endpoints/acme/nobody", {"online": True})])
def test_the_control_door_refuses_what_it_does_not_understand(tmp_path, path, body):
    from ar_workers.simulator.control import Control
    from ar_workers.simulator.server import Request

    with Simulation(World.from_dict({"tenants": {"acme": a_tenant()}})) as simulation:
        method = "PATCH" if path.startswith("endpoints") else "POST"
        answer = Control(simulation).answer(Request(method, f"/_control/{path}", {}, {}, json.dumps(body).encode(), ""))
    assert answer.status == 400


def ports_of(simulation):
    inboxes = {name: simulation.inboxes[name].port for name in ("slack", "pagerduty", "mail")}
    return inboxes | {vendor: server.port for vendor, server in simulation.twins.items()}


def test_a_restart_keeps_its_addresses_and_its_authority(tmp_path):
    world = World.from_dict({"tenants": {"acme": a_tenant()}})
    with Simulation(world, authority=tmp_path) as first:
        ports = ports_of(first)
        authority = first.ca_pem.read_bytes()
    with Simulation(world, authority=tmp_path, ports=ports) as again:
        assert ports_of(again) == ports
        assert again.ca_pem.read_bytes() == authority


def test_a_world_survives_being_written_down():
    world = World.from_dict({"tenants": {"acme": a_tenant()}, "options": {"crowdstrike": {"cloud": "sim-2"}}})
    copy = World.from_dict(json.loads(json.dumps(world.to_dict())))
    assert copy.to_dict() == world.to_dict()
    assert copy.tenant("acme").endpoints[AID].processes[0].pid == 7


@pytest.mark.parametrize("wrong", [{"hostnames": 1}, {"status": "gone"}, {"platform": "windows"}])
def test_a_world_with_a_stranger_in_it_is_refused(wrong):
    with pytest.raises(ValueError, match="unknown"):
        World.from_dict({"tenants": {"acme": {"endpoints": [{"agent_id": AID, "hostname": "h", **wrong}]}}})


def test_a_fast_clock_is_fast_and_never_goes_back():
    with Simulation(World(), speed=1000) as simulation:
        before = simulation.clock.now()
        time.sleep(0.02)
        assert simulation.clock.now() - before > 15
        with pytest.raises(ValueError, match="forward"):
            simulation.clock.advance(-1)
