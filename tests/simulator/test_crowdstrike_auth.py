"""Who gets in, and how often."""

from __future__ import annotations

import json
import time

import pytest

from ar_workers.simulator import World
from ar_workers.simulator.clock import VirtualClock
from ar_workers.simulator.crowdstrike import CrowdStrikeTwin
from ar_workers.simulator.journal import Journal
from tests.simulator.worlds import DEVICES, TOKEN, a_tenant, falcon


def test_a_token_is_created_and_names_the_cloud(acme):
    answer = acme.log_in()
    assert (answer.status, answer.body["expires_in"], answer.headers["x-cs-region"]) == (201, 1799, "sim-1")


def test_a_token_is_not_given_for_json(acme):
    body = json.dumps({"client_id": "id", "client_secret": "hush"})
    assert acme.send("POST", TOKEN, body, {"Content-Type": "application/json"}).status == 400


def test_a_tenant_of_another_cloud_is_sent_there():
    with falcon(a_tenant(cloud="sim-2"), cloud_urls={"sim-2": "http://127.0.0.1:9"}) as acme:
        answer = acme.log_in()
    assert (answer.status, answer.headers["location"]) == (308, "http://127.0.0.1:9/oauth2/token")


def test_a_redirect_leads_to_no_real_vendor_unless_told():
    with falcon(a_tenant(cloud="sim-2")) as acme:
        assert ".invalid/" in acme.log_in().headers["location"]


@pytest.mark.parametrize("cloud", ["us-1", "EU-1", "us-gov-2"])
def test_no_world_names_a_cloud_to_which_a_client_would_go(cloud):
    for world in ({"tenants": {"acme": a_tenant(cloud=cloud)}}, {"tenants": {}, "options": {"crowdstrike": {"cloud": cloud}}}):
        clock = VirtualClock()
        with pytest.raises(ValueError, match="real"):
            CrowdStrikeTwin(World.from_dict(world), clock, Journal(clock))


def test_a_token_ends_after_half_an_hour(acme):
    assert acme.call("GET", DEVICES).status == 200
    acme.simulation.clock.advance(1800)
    assert acme.call("GET", DEVICES).status == 401


@pytest.mark.parametrize("scheme", ["", "Basic "])
def test_a_token_without_its_scheme_is_no_token(acme, scheme):
    token = acme.log_in().body["access_token"]
    assert acme.send("GET", DEVICES, headers={"Authorization": scheme + token}).status == 401


def test_a_provider_sees_the_member_that_it_asked_for():
    parent = a_tenant(endpoints=[], credentials=[{"client_id": "id", "client_secret": "hush", "members": ["2" * 32]}])
    with falcon(parent, {"child": a_tenant(cid="2" * 32, credentials=[])}) as acme:
        acme.token = acme.log_in(member_cid="2" * 32).body["access_token"]
        assert len(acme.call("GET", DEVICES).resources) == 2
        assert acme.log_in(member_cid="3" * 32).status == 403


def test_a_missing_scope_is_forbidden():
    reader = a_tenant(credentials=[{"client_id": "id", "client_secret": "hush", "scopes": ["hosts:read"]}])
    with falcon(reader) as acme:
        assert acme.call("GET", DEVICES).status == 200
        assert acme.contain("a" * 32).status == 403
        assert acme.effects() == []


def test_bad_tokens_block_the_address_after_fifteen(acme):
    wrong = {"Authorization": "Bearer nope"}
    assert [acme.send("GET", DEVICES, headers=wrong).status for _ in range(16)] == [401] * 15 + [429]
    acme.simulation.clock.advance(61)
    assert acme.send("GET", DEVICES, headers=wrong).status == 401


def test_the_wait_may_be_written_in_milliseconds():
    with falcon(requests_per_minute=1, retry_after_unit="milliseconds") as acme:
        acme.call("GET", DEVICES)
        assert float(acme.call("GET", DEVICES).headers["x-ratelimit-retryafter"]) > time.time() * 100


def test_nothing_wrong_is_written_in_three_ways(acme):
    answers = [acme.call("GET", DEVICES, filter="hostname:'nobody'").body for _ in range(3)]
    assert [one.get("errors", "missing") for one in answers] == [[], None, "missing"]


def test_a_wrong_method_a_wrong_path_and_a_wrong_content_type_are_refused(acme):
    assert acme.call("PUT", DEVICES).status == 405
    assert acme.call("GET", "/devices/nowhere").status == 404
    wrong = {"Authorization": f"Bearer {acme.token}", "Content-Type": "text/plain"}
    assert acme.send("POST", "/devices/entities/devices/v2", "{}", wrong).status == 415


def test_no_secret_reaches_the_journal(acme):
    acme.call("GET", DEVICES)
    written = json.dumps(list(acme.simulation.journal))
    assert "hush" not in written
    assert acme.token not in written
