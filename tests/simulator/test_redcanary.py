"""The pretend portal: its pages, its quirks, and its ways to refuse."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from tests.simulator.redcanary import KEY, a_detection, a_file, ago, an_endpoint_of, portal

ROOT = "/openapi/v3"


def call(simulation, path, *, key=KEY, method="GET", accept="application/json", **query):
    connection = HTTPConnection("127.0.0.1", simulation.twins["redcanary"].port, timeout=5)
    try:
        connection.request(method, f"{path}?{urlencode(query)}", headers={"X-Api-Key": key, "Accept": accept})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def data(simulation, path, **query):
    status, text = call(simulation, ROOT + path, **query)
    assert status == 200, text
    return json.loads(text)["data"]


def ids(simulation, **query):
    return [row["id"] for row in data(simulation, "/detections", **query)]


DETECTIONS = [a_detection(number, seconds_ago=300 - number) for number in range(1, 6)]


def test_pages_count_from_one_and_end_empty():
    with portal(DETECTIONS, order="by id") as acme:
        assert [ids(acme, page=page, per_page=2) for page in (1, 2, 3, 4)] == [[1, 2], [3, 4], [5], []]


def test_the_last_page_may_come_again_for_ever():
    with portal(DETECTIONS, order="by id", behind_the_last="repeats") as acme:
        assert [ids(acme, page=page, per_page=2) for page in (3, 4, 9)] == [[5], [5], [5]]


@pytest.mark.parametrize(("option", "total"), [("right", 5), ("wrong", 12)])
def test_the_total_is_not_reliable(option, total):
    with portal(DETECTIONS, total_items=option) as acme:
        assert json.loads(call(acme, f"{ROOT}/detections")[1])["meta"]["total_items"] == total


@pytest.mark.parametrize(("order", "found"), [("arrival", [2, 3, 1]), ("newest first", [3, 2, 1]), ("by id", [1, 2, 3])])
def test_the_order_is_anybodys_guess(order, found):
    with portal([DETECTIONS[1], DETECTIONS[2], DETECTIONS[0]], order=order) as acme:
        assert ids(acme) == found


@pytest.mark.parametrize(("since", "found"), [("confirmed_at", []), ("last_activity_seen_at", [1])])
def test_since_compares_one_of_the_times(since, found):
    with portal([a_detection(1, seconds_ago=900, last_activity_seen_at=ago(5))], since=since) as acme:
        assert ids(acme, since=ago(60)) == found


def test_single_things_come_in_a_list_of_one():
    with portal(DETECTIONS, marked={"1": a_file("evil")}, endpoints={"7": an_endpoint_of("PC-1")}) as acme:
        assert [row["id"] for row in data(acme, "/detections/1")] == [1]
        assert len(data(acme, "/detections/1/marked_indicators_of_compromise")) == 2
        assert data(acme, "/detections/1/timeline") == []
        assert data(acme, "/endpoints/7")[0]["attributes"]["hostname"] == "PC-1"


@pytest.mark.parametrize(
    ("path", "more", "status", "words"),
    [
        ("/detections", {"key": "wrong"}, 403, "Forbidden"),
        ("/detections", {"accept": "text/html"}, 406, "Not Acceptable"),
        ("/detections", {"page": 0}, 400, "page is invalid"),
        ("/detections", {"since": "yesterday"}, 400, "since is invalid"),
        ("/detections", {"method": "DELETE"}, 405, "not allowed"),
        ("/detections/9", {}, 404, "Detection not found"),
        ("/endpoints/9", {}, 404, "Endpoint not found"),
        ("/elsewhere", {}, 404, "Not found"),
    ],
)
def test_a_wrong_call_is_refused_in_json(path, more, status, words):
    with portal(DETECTIONS) as acme:
        answer = call(acme, ROOT + path, **more)
        assert (answer[0], words in json.loads(answer[1])["error"]["message"]) == (status, True)


def test_what_is_no_portal_answers_a_page_for_people():
    with portal() as acme:
        status, text = call(acme, "/detections")
        assert (status, text[:15]) == (404, "<!DOCTYPE html>")


def test_too_many_requests_are_refused():
    with portal(DETECTIONS, requests_per_minute=2) as acme:
        assert [call(acme, f"{ROOT}/detections")[0] for _ in range(3)] == [200, 200, 429]
        acme.clock.advance(61)
        assert call(acme, f"{ROOT}/detections")[0] == 200


def wrote(simulation, path, method, **query):
    status, text = call(simulation, ROOT + path, method=method, **query)
    return status, [(each["verb"], each["target"], each["changed"]) for each in simulation.journal.effects()], text


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("remediated", ("remediated", None)),
        ("not_remediated_false_positive", ("not_remediated", "false_positive")),
        ("not_remediated_sanctioned_activity", ("not_remediated", "sanctioned_activity")),
    ],
)
def test_a_detection_is_acknowledged_and_marked(state, shown):
    with portal([a_detection(7, last_acknowledged_at=None)]) as acme:
        assert wrote(acme, "/detections/7/mark_acknowledged", "PATCH")[0] == 200
        status, effects, _ = wrote(acme, "/detections/7/update_remediation_state", "PATCH", remediation_state=state, comment="ours")
        assert (status, effects) == (200, [("acknowledge", "7", True), ("remediate", "7", True)])
        (row,) = data(acme, "/detections/7")
        marked = row["attributes"]["last_remediated_status"]
        assert (marked["remediation_state"], marked["reason"], bool(row["attributes"]["last_acknowledged_at"])) == (*shown, True)


def test_a_word_that_is_no_state_is_refused():
    with portal([a_detection(7)]) as acme:
        assert wrote(acme, "/detections/7/update_remediation_state", "PATCH", remediation_state="done")[:2] == (400, [])


def test_endpoints_are_isolated_and_released_by_their_ids():
    with portal(endpoints={"1": an_endpoint_of("PC-1"), "2": an_endpoint_of("PC-2")}) as acme:
        assert wrote(acme, "/endpoints/isolate", "POST", ids="1,3")[:2] == (404, [])
        assert wrote(acme, "/endpoints/isolate", "POST")[0] == 400
        assert wrote(acme, "/endpoints/isolate", "POST", ids="1,2")[0] == 200
        assert [row["attributes"]["is_isolated"] for row in data(acme, "/endpoints")] == [True, True]
        status, effects, _ = wrote(acme, "/endpoints/isolate", "DELETE", ids="2")
        assert (status, effects[-1]) == (200, ("release", "2", True))
        (found,) = data(acme, f"/endpoints/sensor_id/{an_endpoint_of('PC-2')['attributes']['sensor']['id']}")
        assert found["attributes"]["is_isolated"] is False


def test_endpoints_carry_tags_and_playbooks_are_played():
    with portal([a_detection(7)], endpoints={"1": an_endpoint_of("PC-1")}) as acme:
        assert wrote(acme, "/endpoints/1/reporting_tags/owner", "PUT", value="robin")[0] == 200
        assert data(acme, "/endpoints/1")[0]["attributes"]["reporting_tags"] == {"owner": "robin"}
        assert wrote(acme, "/endpoints/1/reporting_tags/owner", "DELETE")[0] == 200
        body = {"resource_type": "Detection", "resource_id": "7"}
        assert wrote(acme, "/automate/playbooks/5/execute", "POST", **body)[0] == 404
        acme.world.tenant("acme").facts["playbooks"] = ["5"]
        status, effects, _ = wrote(acme, "/automate/playbooks/5/execute", "POST", **body)
        assert (status, [verb for verb, *_ in effects]) == (200, ["tag", "untag", "execute_playbook"])


def test_an_old_client_writes_its_key_into_the_query():
    with portal([a_detection(7)], strict=False) as acme:
        assert call(acme, f"{ROOT}/detections", key="", auth_token=KEY)[0] == 200
        assert call(acme, f"{ROOT}/detections", key="", auth_token="other")[0] == 403
