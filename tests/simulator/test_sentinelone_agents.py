"""Agents, groups and bans: the filter is the target, and what the console refuses it refuses here."""

from __future__ import annotations

import pytest

from ar_workers.simulator.clock import iso
from tests.simulator.sentinelone import ACCOUNT, AGENT, GROUP, LINUX, OTHER, SHA1, SHA256, console


@pytest.fixture
def acme():
    with console() as caller:
        yield caller


@pytest.mark.parametrize("filters", [{}, {"id": [AGENT]}, {"Ids": [AGENT]}])
def test_an_empty_or_misspelt_filter_hits_everyone(acme, filters):
    assert acme.switch("disconnect", **filters).data == {"affected": 3}
    assert len(acme.effects()) == 3


def test_a_misspelt_filter_may_be_refused_as_well():
    with console(unknown_filter="refused") as acme:
        assert acme.switch("disconnect", id=[AGENT]).codes == [4000010]
        assert acme.effects() == []


def test_a_disconnection_goes_through_four_states(acme):
    seen = [acme.network()]
    for name in ("disconnect", "connect"):
        assert acme.switch(name, ids=[AGENT]).data == {"affected": 1}
        seen.append(acme.network())
        acme.simulation.clock.advance(6)
        seen.append(acme.network())
    assert seen == ["connected", "disconnecting", "disconnected", "connecting", "connected"]


def test_an_offline_agent_is_affected_and_stays_on_its_way(acme):
    acme.simulation.world.change("acme", AGENT, online=False)
    assert acme.switch("disconnect", ids=[AGENT]).data == {"affected": 1}
    acme.simulation.clock.advance(9000)
    assert acme.network() == "disconnecting"
    acme.simulation.world.change("acme", AGENT, online=True)
    acme.simulation.clock.advance(6)
    assert acme.network() == "disconnected"


def test_a_decommissioned_agent_is_stuck_for_good(acme):
    acme.simulation.world.change("acme", AGENT, decommissioned=True)
    acme.switch("disconnect", ids=[AGENT])
    acme.simulation.clock.advance(9000)
    assert acme.network() == "disconnecting"


def test_an_unknown_id_affects_nobody_and_is_a_success(acme):
    answer = acme.switch("disconnect", ids=["5" * 19])
    assert (answer.status, answer.data) == (200, {"affected": 0})


def test_agents_are_found_by_name_group_and_system(acme):
    assert acme.call("GET", "agents", computerName="PC-1").ids == [AGENT, OTHER]
    assert acme.call("GET", "agents", groupIds=GROUP, osTypes="linux").ids == []
    assert acme.call("GET", "agents", osTypes="linux,macos").ids == [LINUX]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("agents", {"hostname": "PC-1"}),
        ("agents", {"limit": "1001"}),
        ("groups", {"limit": "301"}),
        ("agents", {"skip": "1001"}),
        ("agents", {"sortBy": "colour"}),
        ("agents", {"cursor": "bm9wZQ=="}),
        ("threat-intelligence/iocs", {}),
        ("remote-scripts/status", {}),
    ],
)
def test_a_query_that_is_not_documented_is_refused(acme, path, query):
    assert acme.call("GET", path, **query).codes == [4000010]


def test_a_cursor_holds_only_for_the_filters_it_was_given_for(acme):
    first = acme.call("GET", "agents", limit=1, osTypes="windows")
    cursor = first.body["pagination"]["nextCursor"]
    assert acme.call("GET", "agents", limit=1, osTypes="windows", cursor=cursor).ids == [OTHER]
    assert acme.call("GET", "agents", limit=1, osTypes="linux", cursor=cursor).codes == [4000010]


def test_without_a_limit_a_page_has_ten():
    with console(alerts=[]) as acme:
        tenant = acme.simulation.world.tenant("acme")
        tenant.facts["scripts"] = {str(10**18 + each): {"osTypes": ["windows"]} for each in range(12)}
        assert len(acme.call("GET", "remote-scripts").data) == 10


@pytest.mark.parametrize("authorization", ["", "Bearer hush", "ApiToken wrong"])
def test_only_the_right_token_in_the_right_words_is_let_in(acme, authorization):
    acme.authorization = authorization
    assert acme.call("GET", "agents").codes == [4010010]


@pytest.mark.parametrize("scheme", ["apitoken", "APIToken", "ApiToken"])
def test_the_scheme_of_a_token_minds_no_case(acme, scheme):
    acme.authorization = f"{scheme} hush"
    assert acme.call("GET", "agents").status == 200


def test_a_console_tells_what_it_is_and_whose_token_it_was_shown(acme):
    assert acme.call("GET", "system/info").data["latestAgentVersion"]
    assert acme.call("GET", "system/status").data == {"health": "ok"}
    acme.simulation.world.tenant("acme").facts["token_expires_at"] = ends = acme.simulation.clock.now() + 100
    assert acme.call("GET", "user").data["apiToken"]["expiresAt"] == iso(ends)
    assert acme.call("POST", "users/api-token-details", {"data": {"apiToken": "hush"}}).data["expiresAt"] == iso(ends)
    assert acme.call("POST", "users/api-token-details", {"data": {"apiToken": "other"}}).codes == [4000010]


def test_agents_are_found_by_words_addresses_and_infection(acme):
    found = acme.call("GET", "agents", query=AGENT[-6:], networkInterfaceInet__contains="10.0.0", infected="false")
    assert AGENT in found.ids
    assert acme.call("GET", "agents", infected="true").ids == []


def test_a_token_ends_on_its_date_for_good(acme):
    tenant = acme.simulation.world.tenant("acme")
    tenant.facts["token_expires_at"] = acme.simulation.clock.now() + 100
    assert acme.call("GET", "agents").status == 200
    acme.simulation.clock.advance(101)
    assert acme.call("GET", "agents").status == 401


def test_a_role_that_may_not_is_told_so():
    with console(scopes=("endpoints.view",)) as acme:
        assert acme.switch("disconnect", ids=[AGENT]).codes == [4030010]


@pytest.mark.parametrize(("told", "header"), [("seconds", "30"), ("none", None)])
def test_whether_a_429_names_a_time_is_a_switch(told, header):
    with console(requests_per_minute=1, retry_after=told) as acme:
        acme.call("GET", "agents")
        answer = acme.call("GET", "agents")
        assert (answer.status, answer.headers.get("retry-after")) == (429, header)


def test_wrong_methods_paths_and_content_types_are_refused(acme):
    assert acme.call("PATCH", "agents").status == 405
    assert acme.call("GET", "hosts").status == 404
    assert acme.call("POST", "agents/actions/disconnect", {"filter": {}}, content_type="text/plain").status == 415
    assert acme.call("POST", "agents/actions/disconnect", {"data": {}}).codes == [4000010]


def test_an_entry_is_for_one_system_and_scope(acme):
    assert acme.ban().status == acme.ban(osType="macos").status == acme.ban({"accountIds": [ACCOUNT]}).status == 200
    assert acme.ban().codes == [4000030]
    assert [changed for *_, changed in acme.effects()] == [True, True, True, False]


@pytest.mark.parametrize("changes", [{"osType": "Windows"}, {"value": "a" * 32}, {"value": None}, {"sha256Value": "short"}])
def test_an_entry_that_is_not_valid_is_refused(acme, changes):
    assert acme.ban(**changes).codes == [4000010]


@pytest.mark.parametrize("scope", [{"tenant": True, "siteIds": ["1"]}, {"tenant": "true"}, {"accountIds": []}, {"account": ["1"]}])
def test_an_entry_has_exactly_one_scope(acme, scope):
    assert acme.ban(scope).codes == [4000010]


def test_any_other_type_allows_what_it_should_ban(acme):
    assert acme.ban(type="white_hash").status == 200
    assert acme.effects() == [("allow_hash", SHA1, True)]


def test_entries_of_other_scopes_are_shown_on_request(acme):
    acme.ban({"accountIds": [ACCOUNT]}, value=None, sha256Value=SHA256)
    query = {"type": "black_hash", "query": SHA256}
    assert acme.call("GET", "restrictions", tenant="true", **query).data == []
    assert len(acme.call("GET", "restrictions", tenant="true", includeChildren="true", **query).data) == 1
    assert acme.call("GET", "restrictions", siteIds="1", **query).data == []
    assert len(acme.call("GET", "restrictions", siteIds="1", includeParents="true", **query).data) == 1


def test_a_deletion_needs_its_body(acme):
    made = acme.ban().data[0]["id"]
    assert acme.call("DELETE", "restrictions", {"data": {"type": "black_hash"}}).codes == [4000010]
    assert acme.call("DELETE", "restrictions", {"data": {"type": "black_hash", "ids": [made]}}).data == {"affected": 1}


def an_indicator(acme, valid_until, value="evil.example", **scope):
    row = {"source": "x", "type": "DNS", "value": value, "method": "EQUALS", "validUntil": valid_until}
    return acme.call("POST", "threat-intelligence/iocs", {"filter": scope or {"accountIds": [ACCOUNT]}, "data": [row]})


def test_an_indicator_is_created_once_and_lives_no_longer_than_allowed(acme):
    assert an_indicator(acme, "2020-01-01T00:00:00Z").status == an_indicator(acme, "2020-01-01T00:00:00Z").status == 200
    assert [changed for *_, changed in acme.effects()] == [True, False]
    assert an_indicator(acme, "2999-01-01T00:00:00Z").codes == [4000010]
    assert an_indicator(acme, "2020-01-01T00:00:00Z", tenant=True).codes == [4030010]
