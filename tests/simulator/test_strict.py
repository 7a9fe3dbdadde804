"""A strict twin refuses what its vendor's documentation does not name; any other overlooks it, as vendors mostly do."""

from __future__ import annotations

import copy
import importlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from ar_workers.simulator import World
from ar_workers.simulator.clock import VirtualClock
from ar_workers.simulator.documented import Documentation, documented_in
from ar_workers.simulator.journal import Journal
from ar_workers.simulator.server import Request, Server
from ar_workers.simulator.simulation import twin_of
from tests.simulator.twins import TWINS

SECRET = "hush"
MACHINE, ORG = "a" * 40, "ABCD1234"
#: How a call of each vendor's says whose it is; {token} is what the login gave.
KEYS = {
    "carbon_black_cloud": {"X-Auth-Token": f"{SECRET}/app"},
    "carbon_black_edr": {"X-Auth-Token": SECRET},
    "cortex_xdr": {"x-xdr-auth-id": "app", "Authorization": SECRET},
    "crowdstrike": {"Authorization": "Bearer {token}"},
    "defender": {"Authorization": "Bearer {token}"},
    "redcanary": {"X-Api-Key": SECRET},
    "sentinelone": {"Authorization": f"ApiToken {SECRET}"},
}
LOGINS = {
    "crowdstrike": ("/oauth2/token", f"client_id=app&client_secret={SECRET}"),
    "defender": (
        "/acme/oauth2/v2.0/token",
        f"grant_type=client_credentials&client_id=app&client_secret={SECRET}&scope=https://api.securitycenter.microsoft.com/.default",
    ),
}
OVERRIDE = {"override_list": "BLACK_LIST", "override_type": "SHA256", "sha256_hash": "a" * 64}
INDICATOR = {"type": "md5", "value": "b" * 32, "action": "no_action", "platforms": ["mac"], "applied_globally": True}
#: Calls that each vendor takes.
DOCUMENTED = [
    ("carbon_black_cloud", "POST", f"/appservices/v6/orgs/{ORG}/devices/_search", {"criteria": {"os": ["MAC"]}, "rows": 5}),
    ("carbon_black_cloud", "POST", f"/appservices/v6/orgs/{ORG}/reputations/overrides", OVERRIDE),
    ("carbon_black_edr", "GET", "/api/v1/sensor?hostname=PC", None),
    ("carbon_black_edr", "POST", "/api/v1/banning/blacklist", {"md5hash": "b" * 32, "text": "evil"}),
    ("cortex_xdr", "POST", "/public_api/v1/endpoints/get_endpoint", {"request_data": {"search_from": 0, "search_to": 5}}),
    ("cortex_xdr", "POST", "/public_api/v1/hash_exceptions/blocklist", {"request_data": {"hash_list": ["c" * 64]}}),
    ("crowdstrike", "GET", "/devices/queries/devices/v1?limit=5", None),
    ("crowdstrike", "POST", "/iocs/entities/indicators/v1", {"indicators": [INDICATOR]}),
    ("defender", "GET", "/api/machines?$top=5", None),
    ("defender", "POST", f"/api/machines/{MACHINE}/isolate", {"Comment": "c", "IsolationType": "Full"}),
    ("redcanary", "GET", "/openapi/v3/detections?page=1", None),
    ("redcanary", "PATCH", "/openapi/v3/detections/1/update_remediation_state", {"remediation_state": "remediated"}),
    ("sentinelone", "GET", "/web/api/v2.1/agents?limit=5", None),
    ("sentinelone", "POST", "/web/api/v2.1/agents/actions/disconnect", {"filter": {"ids": [MACHINE]}, "data": {}}),
]
WRITES = [each for each in DOCUMENTED if each[3] is not None]


def a_world(vendor, *, strict):
    """Tests of one twin alone need no more than one endpoint and one detection."""
    tenant = {
        "vendor": vendor,
        "cid": {"carbon_black_cloud": ORG, "defender": "acme"}.get(vendor, ""),
        "credentials": [{"client_id": "app", "client_secret": SECRET}],
        "groups": [{"id": "1", "name": "Remediate"}],
        "endpoints": [{"agent_id": "7" if vendor.startswith("carbon_black") else MACHINE, "hostname": "PC-1", "groups": ["1"]}],
        "alerts": [{"id": 1, "attributes": {}}] if vendor == "redcanary" else [],
        "facts": {"security_level": "standard"},
    }
    return World.from_dict({"strict": strict, "tenants": {"acme": tenant}})


@dataclass
class Caller:
    vendor: str
    server: Server
    keys: dict

    def send(self, method, target, body=None, headers=None):
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=5)
        try:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def call(self, method, target, document=None, **headers):
        keys = {name: each.replace("{token}", self._token()) for name, each in self.keys.items()}
        keys |= {} if document is None else {"Content-Type": "application/json"}
        return self.send(method, target, None if document is None else json.dumps(document), {**keys, **headers})

    def _token(self):
        if self.vendor not in LOGINS:
            return ""
        path, form = LOGINS[self.vendor]
        _, answer = self.send("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        return json.loads(answer)["access_token"]


@contextmanager
def alone(vendor, *, strict):
    """A twin without the rest of a simulation, which takes longer to start than these tests to run."""
    clock = VirtualClock()
    journal = Journal(clock)
    server = Server(twin_of(vendor)(a_world(vendor, strict=strict), clock, journal), journal=journal)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def tried(vendor, method, target, document, keys=None, **headers):
    """The strict twin's status, whether any other twin took the call, and the strict one's words."""
    found = []
    for strict in (True, False):
        with alone(vendor, strict=strict) as server:
            found.append(Caller(vendor, server, keys or KEYS[vendor]).call(method, target, document, **headers))
    (status, words), (other, _) = found
    return status, 200 <= other < 300, words


def first_of(vendor):
    return next(call for name, *call in DOCUMENTED if name == vendor)


@pytest.mark.parametrize(("vendor", "method", "target", "document"), DOCUMENTED)
def test_what_is_documented_is_taken_by_both(vendor, method, target, document):
    status, is_taken, words = tried(vendor, method, target, document)
    assert (200 <= status < 300, is_taken) == (True, True), words


@pytest.mark.parametrize(("vendor", "method", "target", "document"), WRITES)
def test_a_field_that_is_not_documented_is_refused_by_the_strict_one_only(vendor, method, target, document):
    changed = copy.deepcopy(document)
    place = changed["request_data"] if vendor == "cortex_xdr" else changed.get("indicators", [changed])[0]
    place["nonsense"] = 1
    status, is_taken, words = tried(vendor, method, target, changed)
    assert (status, "nonsense" in words, is_taken) == (400, True, True)


@pytest.mark.parametrize(("vendor", "method", "target", "document"), DOCUMENTED)
def test_a_parameter_that_is_not_documented_is_refused_by_the_strict_one_only(vendor, method, target, document):
    status, is_taken, words = tried(vendor, method, f"{target}{'&' if '?' in target else '?'}nonsense=1", document)
    # Of SentinelOne's lists it is not known what the vendor does: they have a switch of their own.
    assert (status, "nonsense" in words, is_taken) == (400, True, (vendor, method) != ("sentinelone", "GET"))


@pytest.mark.parametrize("vendor", TWINS)
def test_a_header_by_which_a_call_seems_to_be_another_is_refused_by_the_strict_one_only(vendor):
    status, is_taken, words = tried(vendor, *first_of(vendor), **{"X-HTTP-Method-Override": "DELETE", "X-Whatever": "1"})
    assert (status, "x-http-method-override" in words, "x-whatever" in words, is_taken) == (400, True, False, True)


@pytest.mark.parametrize("vendor", ["crowdstrike", "defender", "sentinelone"])
def test_the_scheme_of_an_authorization_minds_its_case_for_the_strict_one_only(vendor):
    scheme, _, secret = KEYS[vendor]["Authorization"].partition(" ")
    status, is_taken, words = tried(vendor, *first_of(vendor), keys={"Authorization": f"{scheme.lower()} {secret}"})
    assert (status, scheme.lower() in words, is_taken) == (400, True, True)


@pytest.mark.parametrize("vendor", TWINS)
def test_every_route_of_a_twin_is_documented_somewhere(vendor):
    routes = importlib.import_module(f"ar_workers.simulator.{vendor}.twin").ROUTES
    spoken = {each if isinstance(each, tuple) else ("POST", each) for each in routes}
    documentation = importlib.import_module(f"ar_workers.simulator.{vendor}.documented").DOCUMENTATION
    assert spoken <= set(documentation.routes)
    assert all(names.source for names in documentation.routes.values())


def test_names_within_others_and_names_of_any_kind():
    names = documented_in("here")
    documentation = Documentation(headers=frozenset(), routes={("POST", "/x"): names(query="cb.fq.*", body="rows rows.id more more.*")})
    body = {"rows": [{"id": 1}, {"id": 2, "name": "a"}, "text"], "more": {"any": {"thing": 1}}, "rest": None}
    query = {"cb.fq.host": ["a"], "cb": ["b"]}
    request = Request(method="POST", path="/x", query=query, headers={}, body=json.dumps(body).encode(), client="")
    assert documentation.strangers(request, "/x") == ["query cb", "field rows.name", "field rest"]
