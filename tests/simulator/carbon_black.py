"""An organisation of Carbon Black Cloud to talk to without any client but the standard library's."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode

from ar_workers.simulator import Simulation, World

ORG, KEY = "ABCD1234", "hush/KEYID"
V6 = f"/appservices/v6/orgs/{ORG}"
LIVE = f"{V6}/liveresponse/sessions"
GROUPS = f"/asset_groups/v1/orgs/{ORG}/groups"
ALERTS = f"/api/alerts/v7/orgs/{ORG}/alerts"
PC, MAC = "101", "102"
EVIL = r"C:\Temp\evil one.exe"


def a_tenant(**more):
    rich = {
        "processes": [{"pid": 7, "path": EVIL}, {"pid": 8, "path": r"C:\fine.exe"}],
        "files": [{"path": EVIL}],
        "registry": {r"HKLM\Software\Evil": {"Run": "evil.exe"}, r"HKLM\Software\Evil\Deep": {"x": "1"}},
    }
    return {
        "vendor": "carbon_black_cloud",
        "cid": ORG,
        "credentials": [{"client_id": "KEYID", "client_secret": "hush"}],
        "groups": [{"id": "g1", "name": "Remediate"}],
        "endpoints": [
            {"agent_id": PC, "hostname": "PC-1", "groups": ["g1"], "check_in_delay": 5.0, **rich},
            {"agent_id": MAC, "hostname": "PC-10", "platform": "Mac", "check_in_delay": 5.0},
        ],
        **more,
    }


@dataclass
class Answer:
    status: int
    headers: dict
    body: dict

    @property
    def code(self):
        return self.body.get("error_code")


@dataclass
class Caller:
    simulation: Simulation
    key: str = KEY

    def call(self, method, path, document=None, headers=None, **query):
        """Everything as JSON; `headers` replace the usual ones."""
        usual = {"X-Auth-Token": self.key, "Content-Type": "application/json"}
        connection = HTTPConnection("127.0.0.1", self.simulation.twins["carbon_black_cloud"].port, timeout=5)
        try:
            target = path + ("?" + urlencode(query) if query else "")
            connection.request(method, target, None if document is None else json.dumps(document), usual if headers is None else headers)
            reply = connection.getresponse()
            raw = reply.read()
        finally:
            connection.close()
        lower = {name.lower(): value for name, value in reply.getheaders()}
        is_json = raw and "json" in lower.get("content-type", "")
        return Answer(reply.status, lower, json.loads(raw) if is_json else {"raw": raw})

    def quarantine(self, *ids, toggle="ON", **more):
        body = {"action_type": "QUARANTINE", "options": {"toggle": toggle}, **({"device_id": list(ids)} if ids else {}), **more}
        return self.call("POST", f"{V6}/device_actions", body)

    def device(self, device_id=PC):
        return self.call("GET", f"{V6}/devices/{device_id}").body

    def search(self, **criteria):
        return self.call("POST", f"{V6}/devices/_search", criteria)

    def session(self, device_id=PC):
        return self.call("POST", LIVE, {"device_id": int(device_id)})

    def joined(self, device_id=PC):
        session_id = self.session(device_id).body["id"]
        self.simulation.clock.advance(2)
        assert self.call("GET", f"{LIVE}/{session_id}").body["status"] == "ACTIVE"
        return session_id

    def run(self, session_id, name, **argument):
        """The finished command."""
        taken = self.call("POST", f"{LIVE}/{session_id}/commands", {"name": name, **argument})
        if taken.status != 200:
            return taken
        return self.call("GET", f"{LIVE}/{session_id}/commands/{taken.body['id']}")

    def effects(self):
        return [(one["verb"], one["target"], one["changed"]) for one in self.simulation.journal.effects()]


@contextmanager
def organisation(tenant=None, **options):
    world = {"tenants": {"acme": tenant or a_tenant()}, "options": {"carbon_black_cloud": {"polls_until_complete": 0, **options}}}
    with Simulation(World.from_dict(world)) as simulation:
        yield Caller(simulation)
