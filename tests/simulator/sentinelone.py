"""A console to talk to without any client but the standard library's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

from ar_workers.simulator import Simulation, World

AGENT, OTHER, LINUX = "1000000000000000001", "1000000000000000002", "1000000000000000003"
ACCOUNT = "9000000000000000001"
GROUP = "2000000000000000001"
SCRIPT = "3000000000000000001"
SHA1, SHA256 = "a" * 40, "b" * 64
ENTRY = {"type": "black_hash", "osType": "windows", "value": SHA1, "source": "user"}


def a_threat(number, at, **info):
    defaults = {
        "threatId": str(number),
        "createdAt": at,
        "updatedAt": at,
        "filePath": r"C:\evil.exe",
        "sha256": None,
        "incidentStatus": "unresolved",
    }
    agent = {"agentId": AGENT, "agentOsType": "windows"}
    return {"id": str(4 * 10**18 + number), "threatInfo": defaults | info, "agentRealtimeInfo": agent, "mitigationStatus": []}


@dataclass
class Answer:
    status: int
    headers: dict
    body: dict

    @property
    def data(self):
        return self.body["data"]

    @property
    def codes(self):
        return [each["code"] for each in self.body.get("errors") or []]

    @property
    def ids(self):
        return [each["id"] for each in self.data]


@dataclass
class Caller:
    simulation: Simulation
    authorization: str = "ApiToken hush"

    def call(self, method, path, document=None, content_type="application/json", **query):
        target = f"/web/api/v2.1/{path}" + ("?" + urlencode(query, doseq=True, quote_via=quote) if query else "")
        headers = {"Authorization": self.authorization, "Content-Type": content_type}
        connection = HTTPConnection("127.0.0.1", self.simulation.twins["sentinelone"].port, timeout=5)
        try:
            connection.request(method, target, None if document is None else json.dumps(document), headers)
            reply = connection.getresponse()
            raw = reply.read()
        finally:
            connection.close()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, json.loads(raw) if raw else {})

    def switch(self, name, **filters):
        return self.call("POST", f"agents/actions/{name}", {"filter": filters, "data": {}})

    def network(self, agent=AGENT):
        return self.call("GET", "agents", ids=agent).data[0]["networkStatus"]

    def ban(self, scope=None, **changes):
        return self.call("POST", "restrictions", {"filter": scope or {"tenant": True}, "data": ENTRY | changes})

    def execute(self, parameters="eyJ9", **changes):
        data = {"scriptId": SCRIPT, "outputDestination": "SentinelCloud", "taskDescription": "x", "inputParams": parameters} | changes
        return self.call("POST", "remote-scripts/execute", {"filter": {"ids": [AGENT]}, "data": data})

    def task(self, parent):
        return self.call("GET", "remote-scripts/status", parentTaskId=parent).data[0]

    def effects(self):
        return [(each["verb"], each["target"], each["changed"]) for each in self.simulation.journal.effects()]


@contextmanager
def console(alerts=(), scopes=("*",), **options):
    tenant = {
        "vendor": "sentinelone",
        "credentials": [{"client_id": "user", "client_secret": "hush", "scopes": list(scopes)}],
        "groups": [{"id": GROUP, "name": "Remediate"}],
        "endpoints": [
            {"agent_id": AGENT, "hostname": "PC-1", "groups": [GROUP], "check_in_delay": 5.0, "files": [{"path": r"C:\evil.exe"}]},
            {"agent_id": OTHER, "hostname": "PC-1", "groups": [GROUP], "check_in_delay": 5.0},
            {"agent_id": LINUX, "hostname": "SRV", "platform": "Linux", "check_in_delay": 5.0},
        ],
        "alerts": list(alerts),
        "facts": {"scripts": {SCRIPT: {"osTypes": ["windows"]}}},
    }
    with Simulation(World.from_dict({"tenants": {"acme": tenant}, "options": {"sentinelone": options}})) as simulation:
        yield Caller(simulation)
