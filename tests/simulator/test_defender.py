"""The Defender twin is as strict as the vendor."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import quote, urlencode, urlsplit

import pytest

from ar_workers.simulator import Simulation, World
from ar_workers.simulator.defender.files import sha1_of
from tests.builders import EVIL, sha256

MID, OTHER = "a" * 40, "b" * 40
CID = "11111111-1111-4111-8111-111111111111"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SCOPE = "https://api.securitycenter.microsoft.com/.default"
ISOLATE = {"Comment": "c", "IsolationType": "Full"}
INDICATOR = {"indicatorValue": "evil.example", "indicatorType": "DomainName", "action": "Block", "title": "t", "description": "d"}
KILL = {"type": "RunScript", "params": [{"key": "ScriptName", "value": "ar_workers.ps1"}]}


def an_alert(number, at, **more):
    return {"id": f"da{number}", "lastUpdateTime": at, "alertCreationTime": at, "status": "New", "evidence": [{"sha1": None}], **more}


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

    def log_in(self, cid=CID, headers=None, **form):
        wish = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "hush", "scope": SCOPE, **form}
        return self.send("POST", f"/{cid}/oauth2/v2.0/token", urlencode(wish), headers or FORM)

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


@pytest.fixture
def acme():
    with tenant() as caller:
        yield caller


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_secret": "no"}, 401, "invalid_client"),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"cid": "nobody"}, 400, "invalid_request"),
        ({"headers": {"Content-Type": "application/json"}}, 400, "invalid_request"),
    ],
)
def test_a_wrong_login_is_refused_in_the_words_of_the_login(acme, wrong, status, error):
    answer = acme.log_in(**wrong)
    assert (answer.status, answer.body["error"]) == (status, error)
    assert answer.body["error_description"].startswith("AADSTS")
    assert answer.body["error_codes"]


def test_a_token_ends_after_an_hour(acme):
    assert acme.log_in().body["expires_in"] == 3599
    assert acme.call("GET", "/api/machines").status == 200
    acme.advance(3600)
    answer = acme.call("GET", "/api/machines")
    assert (answer.status, answer.code, bool(answer.body["error"]["target"])) == (401, "Unauthorized", True)


def test_a_missing_role_is_forbidden():
    with tenant([{"client_id": "app", "client_secret": "hush", "scopes": ["Machine.Read.All"]}]) as acme:
        assert acme.call("GET", "/api/machines").status == 200
        answer = acme.isolate()
        assert (answer.status, answer.code) == (403, "Forbidden")
        assert acme.simulation.journal.effects() == []


def test_each_route_has_its_minute_and_the_wait_is_in_seconds():
    with tenant(calls_per_minute=2) as acme:
        assert [acme.call("GET", "/api/machines").status for _ in range(3)] == [200, 200, 429]
        answer = acme.call("GET", "/api/machines")
        assert (answer.code, 1 <= int(answer.headers["retry-after"]) <= 60) == ("TooManyRequests", True)
        assert acme.call("GET", f"/api/machines/{MID}").status == 200
        acme.advance(61)
        assert acme.call("GET", "/api/machines").status == 200


def test_each_route_has_its_hour_too():
    with tenant(calls_per_minute=2, calls_per_hour=3) as acme:
        statuses = []
        for _ in range(4):
            statuses.append(acme.call("GET", "/api/machines").status)
            acme.advance(61)
        assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"IsolationType": "Full"}, "MissingRequiredParameter"),
        ({"comment": "c", "IsolationType": "Full"}, "MissingRequiredParameter"),
        ({"Comment": "c", "IsolationType": "full"}, "InvalidInput"),
        ({"Comment": "c", "IsolationType": "Full", "Sha1": "x"}, "InvalidRequestBody"),
        ([], "InvalidRequestBody"),
    ],
)
def test_the_names_and_words_of_a_body_mind_their_case(acme, body, code):
    answer = acme.call("POST", f"/api/machines/{MID}/isolate", body)
    assert (answer.status, answer.code) == (400, code)


def test_a_wrong_method_a_wrong_path_a_wrong_machine_and_a_wrong_content_type_are_refused(acme):
    assert acme.call("PUT", "/api/machines").status == 405
    assert acme.call("GET", "/api/nowhere").status == 404
    assert acme.isolate("c" * 40).code == "ResourceNotFound"
    acme.headers = {"Content-Type": "text/plain"}
    assert acme.isolate().status == 415


def test_an_isolation_is_pending_then_in_progress_then_done(acme):
    order = acme.isolate()
    assert (order.status, order.body["status"], order.body["creationDateTimeUtc"][-2:]) == (201, "Pending", "7Z")
    acme.advance(6)
    assert acme.status(order) == "InProgress"
    assert acme.call("POST", f"/api/machineactions/{order.body['id']}/cancel", {"Comment": "c"}).status == 400
    acme.advance(6)
    assert acme.status(order) == "Succeeded"
    assert acme.simulation.world.endpoint("acme", MID).status == "contained"


@pytest.mark.parametrize(("duplicate", "status", "orders"), [("same", 201, 1), ("refused", 400, 1), ("late", 201, 2)])
def test_what_a_second_isolation_does_is_a_switch(duplicate, status, orders):
    with tenant(duplicate=duplicate) as acme:
        acme.isolate()
        assert acme.isolate().status == status
        assert len(acme.call("GET", "/api/machineactions").ids) == orders


def test_a_late_second_isolation_runs_after_a_release():
    with tenant(duplicate="late") as acme:
        acme.isolate()
        acme.isolate()
        acme.advance(20)
        acme.isolate(verb="unisolate")
        acme.advance(20)
        acme.call("GET", "/api/machineactions")
        assert acme.simulation.world.endpoint("acme", MID).status == "normal"
        acme.advance(700)
        acme.call("GET", "/api/machineactions")
        assert acme.simulation.world.endpoint("acme", MID).status == "contained"


def test_an_order_for_a_machine_that_stays_away_times_out_and_is_never_run(acme):
    acme.simulation.world.change("acme", MID, online=False)
    order = acme.isolate()
    acme.advance(3 * 86400 + 900)
    acme.token = ""
    assert acme.status(order) == "TimeOut"
    acme.simulation.world.change("acme", MID, online=True)
    acme.advance(60)
    assert acme.status(order) == "TimeOut"
    assert acme.simulation.world.endpoint("acme", MID).status == "normal"


def test_what_people_do_in_the_portal_is_on_record(acme):
    acme.simulation.world.change("acme", MID, status="contained")
    rows = acme.call("GET", "/api/machineactions", **{"$filter": f"machineId eq '{MID}' and type eq 'Isolate'"}).body["value"]
    assert [(row["status"], row["requestSource"]) for row in rows] == [("Succeeded", "Portal")]


@pytest.mark.parametrize("wrong", ["rbacGroupName eq 'x'", "nonsense", "id eq", "id eq 'x' or id eq 'y'"])
def test_a_filter_that_cannot_be_read_is_refused(acme, wrong):
    answer = acme.call("GET", "/api/machines", **{"$filter": wrong})
    assert (answer.status, answer.code) == (400, "ODataError")


def test_a_machine_is_found_by_its_name_in_lower_case(acme):
    assert acme.call("GET", "/api/machines", **{"$filter": "computerDnsName eq 'pc-1.corp.example'"}).ids == [MID]
    assert acme.call("GET", "/api/machines", **{"$filter": "startswith(computerDnsName,'pc-')"}).ids == [MID, OTHER]
    assert acme.call("GET", f"/api/machines/{OTHER}").body["osPlatform"] == "Ubuntu"


def test_pages_are_joined_by_links():
    with tenant(page_size=1) as acme:
        first = acme.call("GET", "/api/machines")
        link = urlsplit(first.body["@odata.nextLink"])
        second = acme.call("GET", f"{link.path}?{link.query}")
        assert (first.ids, second.ids, "@odata.nextLink" in second.body) == ([MID], [OTHER], False)


@pytest.mark.parametrize(("style", "hits"), [("exact", 0), ("folded", 1)])
def test_how_a_tag_matches_is_a_switch(style, hits):
    with tenant(tag_match=style) as acme:
        assert len(acme.call("GET", "/api/machines/findbytag", tag="remediate", useStartsWithFilter="false").ids) == hits
        assert len(acme.call("GET", "/api/machines/findbytag", tag="Reme", useStartsWithFilter="true").ids) == 1


def test_a_tag_is_set_and_taken_away(acme):
    for action, tags in (("Add", ["Remediate", "new"]), ("Remove", ["Remediate"])):
        assert acme.call("POST", f"/api/machines/{MID}/tags", {"Value": "new", "Action": action}).body["machineTags"] == tags


def test_a_file_is_quarantined_by_sha1_on_windows_only(acme):
    wish = {"Comment": "c", "Sha1": sha1_of(sha256("evil"))}
    path = f"/api/machines/{MID}/StopAndQuarantineFile"
    assert acme.call("POST", path.replace(MID, OTHER), wish).code == "OsPlatformNotSupported"
    assert acme.call("POST", path, {**wish, "Sha1": "0" * 64}).code == "InvalidHashValue"
    assert acme.call("POST", path, wish).status == 201
    assert acme.call("POST", path, wish).code == "ActiveRequestAlreadyExists"
    acme.advance(20)
    acme.call("GET", "/api/machineactions")
    assert acme.simulation.world.endpoint("acme", MID).files == []


def test_a_machine_has_one_live_response_at_a_time_and_the_tenant_a_few():
    with tenant(live_sessions=1) as acme:
        assert acme.run().status == 201
        assert acme.run().code == "ActiveRequestAlreadyExists"
        assert acme.run(OTHER).status == 429


def test_live_responses_are_counted_by_the_minute():
    with tenant(live_responses_per_minute=1) as acme:
        assert [acme.run().status, acme.run().status] == [201, 429]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"type": "RunScript", "params": [{"key": "ScriptName", "value": "nowhere.ps1"}]}, "InvalidInput"),
        ({"type": "RunScript", "params": [{"key": "scriptName", "value": "ar_workers.ps1"}]}, "InvalidRequestBody"),
        ({"type": "RunScript", "params": []}, "InvalidRequestBody"),
        ({"type": "Remediate", "params": []}, "InvalidRequestBody"),
    ],
)
def test_a_command_must_be_known_and_its_script_in_the_library(acme, command, code):
    assert acme.run(MID, command).code == code


def test_a_script_of_another_platform_fails_on_the_machine(acme):
    order = acme.run(OTHER)
    acme.advance(20)
    row = acme.call("GET", f"/api/machineactions/{order.body['id']}").body
    assert (row["status"], row["commands"][0]["commandStatus"]) == ("Failed", "Failed")


def test_a_result_is_behind_a_link_that_expires_and_wants_no_token(acme):
    order = acme.run()
    path = f"/api/machineactions/{order.body['id']}/GetLiveResponseResultDownloadLink(index=0)"
    assert acme.call("GET", path).code == "ResourceNotFound"
    acme.advance(20)
    link = urlsplit(acme.call("GET", path).body["value"])
    target = f"{link.path}?{link.query}"
    assert acme.send("GET", target).body["exit_code"] == 1
    assert acme.send("GET", target, headers={"Authorization": f"Bearer {acme.token}"}).status == 403
    assert acme.send("GET", link.path).status == 403
    acme.advance(1801)
    assert acme.send("GET", target).status == 403


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": ""}, "MissingRequiredParameter"),
        ({"indicatorValue": "not a domain"}, "InvalidDomainName"),
        ({"indicatorType": "FileSha256"}, "InvalidHashValue"),
        ({"indicatorType": "Domain"}, "InvalidInput"),
        ({"action": "block"}, "InvalidInput"),
        ({"action": "Audit"}, "InvalidInput"),
        ({"Title": "t"}, "InvalidRequestBody"),
    ],
)
def test_an_indicator_must_be_well_formed(acme, changes, code):
    answer = acme.call("POST", "/api/indicators", {**INDICATOR, **changes})
    assert (answer.status, answer.code) == (400, code)
    assert acme.simulation.world.tenant("acme").iocs == {}


def test_an_indicator_is_stored_changed_and_deleted(acme):
    first = acme.call("POST", "/api/indicators", INDICATOR)
    again = acme.call("POST", "/api/indicators", {**INDICATOR, "action": "Warn"})
    scoped = acme.call("POST", "/api/indicators", {**INDICATOR, "rbacGroupNames": ["Servers"]})
    assert (first.status, first.body["id"], again.body["id"], scoped.body["id"]) == (200, "1", "1", "2")
    assert acme.call("DELETE", "/api/indicators/1").status == 204
    assert acme.call("DELETE", "/api/indicators/1").status == 404


def test_an_import_hides_its_failures_in_a_success(acme):
    answer = acme.call("POST", "/api/indicators/import", {"Indicators": [INDICATOR, {**INDICATOR, "title": ""}]})
    assert (answer.status, [row["isFailed"] for row in answer.body["value"]]) == (200, [False, True])


def test_a_tenant_has_so_many_indicators_and_no_more():
    with tenant(most_indicators=1) as acme:
        assert acme.call("POST", "/api/indicators", INDICATOR).status == 200
        assert acme.call("POST", "/api/indicators", {**INDICATOR, "indicatorValue": "other.example"}).status == 400
        assert acme.call("POST", "/api/indicators", {**INDICATOR, "action": "Warn"}).status == 200


def alerts_since(acme, at, **query):
    return acme.call("GET", "/api/alerts", **{"$filter": f"lastUpdateTime ge {at}", **query})


def test_alerts_of_the_same_instant_stand_on_two_pages():
    with tenant(page_size=2) as acme:
        for number in range(3):
            acme.simulation.world.tenant("acme").add_alert(an_alert(number, "2026-11-24T10:00:00.1234567Z"))
        first = alerts_since(acme, "2026-11-24T10:00:00.1234567Z")
        link = urlsplit(first.body["@odata.nextLink"])
        assert first.ids + acme.call("GET", f"{link.path}?{link.query}").ids == ["da0", "da1", "da2"]


def test_an_alert_may_arrive_late_and_may_be_updated(acme):
    home = acme.simulation.world.tenant("acme")
    home.add_alert(an_alert(1, "2026-11-24T10:00:00.5Z"))
    home.add_alert(an_alert(2, "2026-11-24T09:00:00.0000000Z"))
    assert alerts_since(acme, "2026-11-24T10:00:00Z").ids == ["da1"]
    assert alerts_since(acme, "2026-11-24T09:00:00Z").ids == ["da1", "da2"]
    home.alerts[1]["lastUpdateTime"] = "2026-11-24T11:00:00Z"
    assert alerts_since(acme, "2026-11-24T10:30:00Z").ids == ["da2"]


def test_evidence_is_shown_only_if_asked_for_and_no_order_can_be(acme):
    acme.simulation.world.tenant("acme").add_alert(an_alert(1, "2026-11-24T10:00:00Z"))
    assert acme.call("GET", "/api/alerts").body["value"][0]["evidence"] == []
    assert acme.call("GET", "/api/alerts", **{"$expand": "evidence"}).body["value"][0]["evidence"] == [{"sha1": None}]
    assert acme.call("GET", "/api/alerts", **{"$orderby": "lastUpdateTime"}).code == "ODataError"
    assert acme.call("PATCH", "/api/alerts/da1", {"status": "Resolved"}).body["status"] == "Resolved"
    assert acme.call("PATCH", "/api/alerts/da1", {"status": "closed"}).code == "InvalidInput"


def test_no_secret_reaches_the_journal(acme):
    order = acme.run()
    acme.advance(20)
    link = urlsplit(acme.call("GET", f"/api/machineactions/{order.body['id']}/GetLiveResponseResultDownloadLink(index=0)").body["value"])
    acme.send("GET", f"{link.path}?{link.query}")
    written = json.dumps(list(acme.simulation.journal))
    assert [each for each in ("hush", acme.token, link.query.rpartition("sig=")[2]) if each in written] == []
