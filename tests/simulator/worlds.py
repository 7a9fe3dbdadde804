"""A Falcon tenant to talk to without any client but the standard library's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

from ar_workers.simulator import Simulation, World

AID = "a" * 32
OTHER = "b" * 32
EVIL = r"C:\Temp\evil one.exe"
DEVICES = "/devices/queries/devices/v1"
TOKEN = "/oauth2/token"
RTR = "/real-time-response"


def an_alert(number, at, **more):
    return {"composite_id": f"cid:ind:{number}", "created_timestamp": at, "status": "new", "severity": 70, **more}


def endpoints():
    rich = {
        "processes": [{"pid": 7, "path": EVIL}, {"pid": 8, "path": r"C:\fine.exe"}],
        "files": [{"path": EVIL}],
        "registry": {r"HKLM\Software\Evil": {"Run": "evil.exe"}},
    }
    return [
        {"agent_id": AID, "hostname": "PC-1", "groups": ["g1"], "check_in_delay": 5.0, **rich},
        {"agent_id": OTHER, "hostname": "PC-1", "platform": "Linux", "check_in_delay": 5.0},
    ]


def a_tenant(**more):
    return {
        "cid": "1" * 32,
        "credentials": [{"client_id": "id", "client_secret": "hush"}],
        "groups": [{"id": "g1", "name": "Remediate"}],
        "endpoints": endpoints(),
        **more,
    }


@dataclass
class Answer:
    status: int
    headers: dict
    body: dict

    @property
    def codes(self):
        return [one["code"] for one in self.body.get("errors") or []]

    @property
    def resources(self):
        return self.body.get("resources") or []


@dataclass
class Caller:
    simulation: Simulation
    token: str = ""

    def send(self, method, path, body=None, headers=None, **query):
        connection = HTTPConnection("127.0.0.1", self.simulation.twins["crowdstrike"].port, timeout=5)
        try:
            target = path + ("?" + urlencode(query, doseq=True, quote_via=quote) if query else "")
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            raw = reply.read()
        finally:
            connection.close()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, json.loads(raw) if raw else {})

    def log_in(self, **form):
        form_body = urlencode({"client_id": "id", "client_secret": "hush", **form})
        return self.send("POST", TOKEN, form_body, {"Content-Type": "application/x-www-form-urlencoded"})

    def call(self, method, path, document=None, **query):
        self.token = self.token or self.log_in().body["access_token"]
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.send(method, path, None if document is None else json.dumps(document), headers, **query)

    def contain(self, *ids, action="contain"):
        return self.call("POST", "/devices/entities/devices-actions/v2", {"ids": list(ids)}, action_name=action)

    def status(self, agent_id=AID):
        return self.simulation.world.endpoint("acme", agent_id).status

    def session(self, agent_id=AID, **more):
        return self.call("POST", f"{RTR}/entities/sessions/v1", {"device_id": agent_id, **more})

    def command(self, session, text, *, route="active-responder-command", base=""):
        body = {"base_command": base or text.split()[0], "command_string": text, "session_id": session}
        return self.call("POST", f"{RTR}/entities/{route}/v1", body)

    def output(self, request_id, sequence=0):
        path = f"{RTR}/entities/active-responder-command/v1"
        return self.call("GET", path, cloud_request_id=request_id, sequence_id=sequence)

    def effects(self):
        return [(one["verb"], one["target"], one["changed"]) for one in self.simulation.journal.effects()]


@contextmanager
def falcon(tenant=None, others=None, **options):
    world = {"tenants": {"acme": tenant or a_tenant(), **(others or {})}, "options": {"crowdstrike": options}}
    with Simulation(World.from_dict(world)) as simulation:
        yield Caller(simulation)
