"""Every call to Defender's twin: its login, its role, its rate, and bodies and paths that are refused."""

from __future__ import annotations

import pytest

from tests.simulator.defender.building import MID, tenant


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_secret": "no"}, 401, "invalid_client"),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"cid": "nobody"}, 400, "invalid_request"),
        ({"version": "", "resource": "https://graph.microsoft.com"}, 400, "invalid_resource"),
        ({"headers": {"Content-Type": "application/json"}}, 400, "invalid_request"),
    ],
)
def test_a_wrong_login_is_refused_in_the_words_of_the_login(acme, wrong, status, error):
    answer = acme.log_in(**wrong)
    assert (answer.status, answer.body["error"]) == (status, error)
    assert answer.body["error_description"].startswith("AADSTS")
    assert answer.body["error_codes"]


@pytest.mark.parametrize("resource", ["https://api.securitycenter.microsoft.com", "https://api.securitycenter.windows.com/"])
def test_the_first_version_of_the_login_takes_a_resource_and_writes_its_numbers_as_texts(acme, resource):
    answer = acme.log_in(version="", resource=resource)
    assert (answer.status, answer.body["expires_in"], answer.body["resource"]) == (200, "3599", resource)
    acme.token = answer.body["access_token"]
    assert acme.call("GET", "/api/v1.0/machines").ids == acme.call("GET", "/api/machines").ids


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
