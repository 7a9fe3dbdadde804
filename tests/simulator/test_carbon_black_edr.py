"""The twin is as strict as the server, whoever asks."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

import pytest

from ar_workers.simulator import Simulation, World
from ar_workers.simulator.carbon_black_edr.options import Options
from tests.builders import hash_of
from tests.edr.rigs.carbon_black_edr import a_world

MD5 = hash_of("md5", "evil")
BANS = "/api/v1/banning/blacklist"
SESSIONS = "/api/v1/cblr/session"
T1, T2, T3 = (f"2026-01-0{day}T00:00:00.000Z" for day in (1, 2, 3))


class Caller:
    """Talks to the twin by nothing but the standard library."""

    def __init__(self, simulation):
        self.simulation = simulation

    def __call__(self, method, path, document=None, *, token="canary-secret", kind="application/json", **query):
        connection = HTTPConnection("127.0.0.1", self.simulation.twins["carbon_black_edr"].port, timeout=5)
        try:
            target = path + ("?" + urlencode(query, quote_via=quote) if query else "")
            body = None if document is None else json.dumps(document)
            connection.request(method, target, body, {"X-Auth-Token": token, "Content-Type": kind})
            reply = connection.getresponse()
            raw = reply.read()
        finally:
            connection.close()
        is_json = "json" in (reply.getheader("Content-Type") or "")
        return reply.status, json.loads(raw) if is_json else raw.decode()

    def session(self):
        return self("POST", SESSIONS, {"sensor_id": 7})[1]["id"]

    def order(self, session, name, **more):
        return self("POST", f"{SESSIONS}/{session}/command", {"session_id": session, "name": name, **more})

    def outcome(self, session, command):
        return self("GET", f"{SESSIONS}/{session}/command/{command}")[1]

    def effects(self):
        return [(one["verb"], one["target"], one["changed"]) for one in self.simulation.journal.effects()]


@contextmanager
def a_server(**options):
    with Simulation(a_world(**options)) as simulation:
        yield Caller(simulation)


@pytest.fixture
def acme():
    with a_server() as caller:
        yield caller


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_no_token_no_answer(acme, token):
    assert acme("GET", "/api/info", token=token)[0] == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "document"),
    [
        ("isolate", "PUT", "/api/v1/sensor/7", {"network_isolation_enabled": True}),
        ("ban", "POST", BANS, {"md5hash": MD5}),
        ("live_response", "GET", SESSIONS, None),
    ],
)
def test_what_the_user_may_not_do_is_forbidden(acme, scope, method, path, document):
    user = acme.simulation.world.tenant("acme").credentials[0]
    user.scopes = [one for one in ("isolate", "ban", "live_response") if one != scope]
    assert acme(method, path, document)[0] == 403
    user.scopes = [scope]
    assert acme(method, path, document)[0] == 200
    assert len(acme.effects()) <= 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nonsense", 404),
        ("DELETE", "/api/v1/sensor/7", 405),
        ("GET", "/api/v1/sensor/FIN-LT-07", 404),
        ("POST", "/api/v3/group", 405),
    ],
)
def test_what_is_no_route_is_refused(acme, method, path, status):
    assert acme(method, path)[0] == status


@pytest.mark.parametrize(
    "document",
    [{"network_isolation_enabled": "true"}, {"network_isolation_enabled": 1}, {"is_isolating": True}, {"group_id": 99}, ["x"]],
)
def test_a_sensor_takes_only_the_fields_of_7_1(acme, document):
    assert acme("PUT", "/api/v1/sensor/7", document)[0] == 400
    assert acme.effects() == []


def test_another_content_type_is_refused(acme):
    assert acme("PUT", "/api/v1/sensor/7", {"network_isolation_enabled": True}, kind="text/plain")[0] == 400


def test_an_older_server_takes_the_whole_sensor_back():
    with a_server(strict=False, strict_put=False) as acme:
        row = acme("GET", "/api/v1/sensor/7")[1]
        assert acme("PUT", "/api/v1/sensor/7", {**row, "network_isolation_enabled": True})[0] == 200
        assert acme.effects() == [("isolate", "7", True)]


def test_another_group_moves_the_sensor(acme):
    acme("PUT", "/api/v1/sensor/7", {"network_isolation_enabled": True, "group_id": 2})
    assert acme("GET", "/api/v1/sensor/7")[1]["group_id"] == 2
    assert [verb for verb, _, _ in acme.effects()] == ["move_endpoint", "isolate"]


def flags(acme):
    row = acme("GET", "/api/v1/sensor/7")[1]
    return row["network_isolation_enabled"], row["is_isolating"]


def test_the_flags_follow_each_other_at_the_check_in(acme):
    for flag in (True, False):
        acme("PUT", "/api/v1/sensor/7", {"network_isolation_enabled": flag})
        assert flags(acme) == (flag, not flag)
        acme.simulation.clock.advance(61)
        assert flags(acme) == (flag, flag)


def test_a_flag_that_was_not_read_yet_is_taken_back_at_once(acme):
    acme.simulation.world.change("acme", "7", online=False)
    for flag in (True, False, False):
        acme("PUT", "/api/v1/sensor/7", {"network_isolation_enabled": flag})
    assert flags(acme) == (False, False)
    assert acme.effects() == [("isolate", "7", True), ("release", "7", True), ("release", "7", False)]


def test_a_part_of_a_name_finds_more_than_one_and_minds_its_case(acme):
    names = [row["computer_name"] for row in acme("GET", "/api/v1/sensor", hostname="N")[1]]
    assert names == ["FIN-LT-07", "NEIGHBOUR"]
    assert acme("GET", "/api/v1/sensor", hostname="fin") == (204, "")
    assert len(acme("GET", "/api/v1/sensor", hostname="FIN", ip="10.0.0")[1]) == 2


def test_numbers_are_texts_and_what_nobody_said_is_null(acme):
    row = acme("GET", "/api/v1/sensor/7")[1]
    assert (row["sensor_uptime"], row["uninstalled"]) == ("10567", None)


def test_an_uninstalled_sensor_stays_on_the_list(acme):
    acme.simulation.world.change("acme", "7", decommissioned=True)
    assert acme("GET", "/api/v1/sensor/7")[1]["uninstalled"] is True
    assert acme("POST", SESSIONS, {"sensor_id": 7})[0] == 404


def test_one_group_is_a_list_of_one(acme):
    assert [row["name"] for row in acme("GET", "/api/v3/group/1")[1]] == ["Remediate"]
    assert acme("GET", "/api/v3/group/9")[0] == 404


@pytest.mark.parametrize("document", [{}, {"md5hash": "f" * 64}, {"md5hash": MD5, "sha256": "f" * 64}])
def test_a_ban_that_is_no_md5_is_refused(acme, document):
    assert acme("POST", BANS, document)[0] == 400


def test_refusals_are_plain_text_unless_told_otherwise():
    with a_server() as acme:
        assert acme("GET", f"{BANS}/{MD5}") == (404, f"Blacklist entry for {MD5} does not exist")
    with a_server(refusals="json") as acme:
        assert "status" in acme("GET", f"{BANS}/{MD5}")[1]


def test_a_lifted_ban_stays_as_a_disabled_row(acme):
    acme("POST", BANS, {"md5hash": MD5, "text": "evil"})
    assert acme("DELETE", f"{BANS}/{MD5}")[0] == 200
    row = acme("GET", f"{BANS}/{MD5}")[1]
    assert (row["enabled"], row["text"]) == (False, "")
    assert acme("DELETE", f"{BANS}/{MD5}")[0] == 409


def test_an_order_is_pending_first_and_acts_once(acme):
    session = acme.session()
    assert acme.order(session, "kill", object=4711)[1]["status"] == "pending"
    assert acme.outcome(session, 1)["status"] == "complete"
    acme.order(session, "kill", object=4711)
    again = acme.outcome(session, 2)
    assert (again["status"], again["result_code"]) == ("error", 2147942487)
    assert acme.effects() == [("kill_process", "4711", True), ("kill_process", "4711", False)]


@pytest.mark.parametrize(
    ("name", "more"),
    [("kill", {"pid": 4711}), ("kill", {}), ("Kill", {"object": 4711}), ("process list", {"object": "x"}), ("execute", {"object": "x"})],
)
def test_an_order_that_is_worded_otherwise_is_refused(acme, name, more):
    assert acme.order(acme.session(), name, **more)[0] == 400
    assert acme.effects() == []


def test_a_session_of_another_number_is_refused(acme):
    session = acme.session()
    assert acme("POST", f"{SESSIONS}/{session}/command", {"session_id": 99, "name": "process list"})[0] == 400


def test_a_session_waits_for_its_sensor_and_then_not_any_more():
    with a_server(session_delay=60) as acme:
        session = acme.session()
        assert acme("GET", f"{SESSIONS}/{session}")[1]["status"] == "pending"
        assert acme.order(session, "process list")[0] == 404
        acme.simulation.clock.advance(61)
        assert acme("GET", f"{SESSIONS}/{session}")[1]["status"] == "active"
        acme.simulation.world.change("acme", "7", online=False)
        late = acme.session()
        acme.simulation.clock.advance(121)
        assert acme("GET", f"{SESSIONS}/{late}")[0] == 404


def test_an_idle_session_ends_and_a_kept_one_does_not(acme):
    idle, kept = acme.session(), acme.session()
    for _ in range(2):
        acme.simulation.clock.advance(200)
        acme("GET", f"{SESSIONS}/{kept}/keepalive")
    assert acme("GET", f"{SESSIONS}/{idle}")[0] == 404
    assert acme("GET", f"{SESSIONS}/{kept}")[1]["status"] == "active"


def test_what_waits_in_a_session_that_ends_is_canceled():
    with a_server(order_delay=60) as acme:
        session = acme.session()
        acme.order(session, "kill", object=4711)
        assert acme("PUT", f"{SESSIONS}/{session}", {"status": "active"})[0] == 400
        acme("PUT", f"{SESSIONS}/{session}", {"status": "close"})
        acme.simulation.clock.advance(61)
        assert acme.outcome(session, 1)["status"] == "canceled"
        assert acme.effects() == []


def test_an_order_waits_for_a_sensor_that_went_away():
    with a_server(order_delay=10) as acme:
        session = acme.session()
        acme.order(session, "kill", object=4711)
        acme.simulation.world.change("acme", "7", online=False)
        acme.simulation.clock.advance(60)
        assert acme.outcome(session, 1)["status"] == "pending"
        acme.simulation.world.change("acme", "7", online=True)
        assert acme.outcome(session, 1)["status"] == "complete"


def an_alert(number, at, **more):
    return {"unique_id": f"a-{number}", "created_time": at, "status": "Unresolved", **more}


ALERTS = [an_alert(1, T1), an_alert(2, T2), an_alert(3, T2), an_alert(4, T2), an_alert(5, T3, status="In Progress")]


def pages(acme, query="", rows=2):
    start = 0
    while True:
        page = acme("GET", "/api/v2/alert", q=query, rows=rows, start=start, sort="created_time asc")[1]
        yield [row["unique_id"] for row in page["results"]]
        start += rows
        if start >= page["total_results"]:
            return


def test_alerts_of_one_time_fall_on_both_sides_of_a_page():
    with a_server(alerts=ALERTS) as acme:
        assert list(pages(acme)) == [["a-1", "a-2"], ["a-3", "a-4"], ["a-5"]]


def test_a_late_alert_shifts_the_pages_that_follow():
    with a_server(alerts=ALERTS) as acme:
        reading = pages(acme)
        assert next(reading) == ["a-1", "a-2"]
        acme.simulation.world.tenant("acme").add_alert(an_alert(9, T1))
        assert next(reading) == ["a-2", "a-3"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"created_time:[{T2} TO *]", ["a-2", "a-3", "a-4", "a-5"]),
        (f"status:Unresolved AND created_time:[* TO {T1}]", ["a-1"]),
        ('status:"In Progress"', ["a-5"]),
        (f"-status:Unresolved created_time:[{T1} TO {T3}]", ["a-5"]),
        ("*", ["a-1", "a-2", "a-3", "a-4", "a-5"]),
    ],
)
def test_alerts_are_found_by_query(query, found):
    with a_server(alerts=ALERTS) as acme:
        assert list(pages(acme, query, rows=9)) == [found]
        assert len(acme("GET", "/api/v2/alert", **{"cb.fq.status": "In Progress"})[1]["results"]) == 1


@pytest.mark.parametrize("query", ["status", "status:", "created_time:[x", "(status:x", "status:x OR"])
def test_a_query_that_cannot_be_read_is_refused_in_json(query):
    with a_server(alerts=ALERTS) as acme:
        assert acme("GET", "/api/v2/alert", q=query) == (400, {"reason": "query_malformed_syntax"})


def test_alerts_are_updated_one_by_one_or_together():
    with a_server(alerts=ALERTS) as acme:
        assert acme("POST", "/api/v1/alert/a-1", {"unique_id": "a-1", "status": "resolved"})[0] == 400
        assert acme("POST", "/api/v1/alert/a-1", {"unique_id": "a-2", "status": "Resolved"})[0] == 400
        assert acme("POST", "/api/v1/alert/a-9", {"unique_id": "a-9", "status": "Resolved"})[0] == 404
        assert acme("POST", "/api/v1/alerts", {"alert_ids": ["a-1", "a-2"], "requested_status": "Resolved"})[0] == 200
        assert acme.effects() == [("update_alert", "a-1", True), ("update_alert", "a-2", True)]


def test_a_token_opens_only_its_own_server():
    two = {
        name: {
            "vendor": "carbon_black_edr",
            "credentials": [{"client_id": "ar", "client_secret": f"{name}-token"}],
            "groups": [{"id": "1", "name": "Default"}],
            "endpoints": [{"agent_id": "7", "hostname": name}],
        }
        for name in ("acme", "globex")
    }
    with Simulation(World.from_dict({"tenants": two})) as simulation:
        caller = Caller(simulation)
        assert caller("GET", "/api/v1/sensor/7", token="globex-token")[1]["computer_name"] == "globex"
        assert caller("PUT", "/api/v1/sensor/7", {"network_isolation_enabled": True}, token="globex-token")[0] == 200
        assert simulation.world.endpoint("acme", "7").status == "normal"


def test_an_option_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="unknown carbon_black_edr options"):
        Options.from_dict({"nonsense": 1})
