"""A Defender tenant to talk to without any client but the standard library's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

from ar_workers.simulator import Simulation, World
from tests.builders import EVIL, sha256

MID, OTHER = "a" * 40, "b" * 40
CID = "11111111-1111-4111-8111-111111111111"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SCOPE = "https://api.securitycenter.microsoft.com/.default"
ISOLATE = {"Comment": "c", "IsolationType": "Full"}
KILL = {"type": "RunScript", "params": [{"key": "ScriptName", "value": "ar_workers.ps1"}]}


@dataclass
class Answer:
    status: int
    headers: dict
    body: dict

    @property
    def code(self):
        return self.body["error"]["code"]

    @property
    def ids(self):
        return [row["id"] for row in self.body["value"]]


@dataclass
class Caller:
    simulation: Simulation
    token: str = ""
    headers: dict = field(default_factory=dict)

    def send(self, method, path, body=None, headers=None, **query):
        connection = HTTPConnection("127.0.0.1", self.simulation.twins["defender"].port, timeout=5)
        try:
            target = path + ("?" + urlencode(query, quote_via=quote) if query else "")
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            raw = reply.read()
        finally:
            connection.close()
        is_json = "json" in (reply.getheader("Content-Type") or "")
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, json.loads(raw) if is_json else {})

    def log_in(self, cid=CID, headers=None, version="v2.0/", **form):
        fields = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "hush", "scope": SCOPE, **form}
        return self.send("POST", f"/{cid}/oauth2/{version}token", urlencode(fields), headers or FORM)

    def call(self, method, path, document=None, **query):
        self.token = self.token or self.log_in().body["access_token"]
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **self.headers}
        return self.send(method, path, None if document is None else json.dumps(document), headers, **query)

    def isolate(self, machine=MID, verb="isolate"):
        return self.call("POST", f"/api/machines/{machine}/{verb}", ISOLATE if verb == "isolate" else {"Comment": "c"})

    def status(self, order):
        return self.call("GET", f"/api/machineactions/{order.body['id']}").body["status"]

    def run(self, machine=MID, *commands):
        return self.call("POST", f"/api/machines/{machine}/runliveresponse", {"Comment": "c", "Commands": list(commands or [KILL])})

    def advance(self, seconds):
        self.simulation.clock.advance(seconds)


@contextmanager
def tenant(credentials=None, **options):
    rich = {"check_in_delay": 10.0, "files": [{"path": EVIL, "sha256": sha256("evil")}]}
    document = {
        "vendor": "defender",
        "cid": CID,
        "credentials": credentials or [{"client_id": "app", "client_secret": "hush"}],
        "groups": [{"id": "g1", "name": "Remediate"}],
        "endpoints": [
            {"agent_id": MID, "hostname": "PC-1.corp.example", "groups": ["g1"], **rich},
            {"agent_id": OTHER, "hostname": "PC-2.corp.example", "platform": "Linux", **rich},
        ],
        "facts": {"library": {"ar_workers.ps1": {"fileName": "ar_workers.ps1", "sha256": "0" * 64}}},
    }
    with Simulation(World.from_dict({"tenants": {"acme": document}, "options": {"defender": options}})) as simulation:
        yield Caller(simulation)
