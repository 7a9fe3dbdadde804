"""Devices, groups and overrides: who may ask, and what an accepted order does not mean."""

from __future__ import annotations

import pytest

from ar_workers.simulator.carbon_black_cloud.options import Options
from tests.simulator.carbon_black import GROUPS, MAC, ORG, PC, V6, a_tenant, organisation


@pytest.fixture
def acme():
    with organisation() as caller:
        yield caller


@pytest.mark.parametrize("key", ["", "hush", "KEYID/hush", "wrong/KEYID", "hush/OTHER"])
def test_a_wrong_key_is_not_known(acme, key):
    acme.key = key
    assert acme.call("GET", f"{V6}/devices/{PC}").status == 401


def test_another_organisation_is_forbidden(acme):
    assert acme.call("GET", f"/appservices/v6/orgs/OTHER123/devices/{PC}").status == 403


def test_a_permission_that_is_missing_is_forbidden():
    narrow = [{"client_id": "KEYID", "client_secret": "hush", "scopes": ["device:READ"]}]
    with organisation(a_tenant(credentials=narrow)) as acme:
        assert acme.device()["id"] == int(PC)
        assert acme.quarantine(PC).status == 403
        assert acme.effects() == []


def test_wrong_methods_paths_and_content_types_are_refused(acme):
    assert acme.call("PUT", f"{V6}/device_actions", {}).status == 405
    assert acme.call("GET", f"{V6}/Devices/{PC}").status == 404
    assert acme.call("POST", f"{V6}/device_actions", {}, headers={"X-Auth-Token": acme.key}).status == 415
    assert acme.call("POST", f"{V6}/device_actions", []).status == 400


def test_a_quarantine_is_not_there_before_the_next_contact(acme):
    answer = acme.quarantine(PC)
    assert (answer.status, answer.body) == (204, {"raw": b""})
    assert acme.device()["quarantined"] is False
    acme.simulation.clock.advance(6)
    assert acme.device()["quarantined"] is True
    assert acme.device(MAC)["quarantined"] is False


def test_a_quarantine_waits_for_an_offline_device(acme):
    acme.simulation.world.change("acme", PC, online=False)
    assert acme.quarantine(PC).status == 204
    acme.simulation.clock.advance(3 * 86400)
    assert acme.device()["quarantined"] is False
    acme.simulation.world.change("acme", PC, online=True)
    acme.simulation.clock.advance(6)
    assert acme.device()["quarantined"] is True


def test_a_repeated_quarantine_is_accepted_and_changes_nothing(acme):
    assert [acme.quarantine(PC).status for _ in range(2)] == [204, 204]
    assert acme.effects() == [("isolate", PC, True), ("isolate", PC, False)]


def test_the_last_of_two_opposite_orders_counts(acme):
    acme.quarantine(PC)
    acme.quarantine(PC, toggle="OFF")
    acme.simulation.clock.advance(60)
    assert acme.device()["quarantined"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [({"action_type": "quarantine"}, "action_type"), ({"options": {"toggle": "on"}}, "toggle"), ({"options": {}}, "toggle")],
)
def test_a_word_outside_its_vocabulary_is_refused_with_the_known_ones(acme, body, field):
    answer = acme.call("POST", f"{V6}/device_actions", {"action_type": "QUARANTINE", "device_id": [PC], "options": {"toggle": "ON"}} | body)
    assert (answer.status, answer.code, answer.body["field"]) == (400, "INVALID_ENUM_VALUE", field)
    assert "ON" in answer.body["known_values"] or "QUARANTINE" in answer.body["known_values"]


def test_an_order_needs_a_device_that_is_known(acme):
    assert acme.quarantine("999").status == 404
    assert acme.call("POST", f"{V6}/device_actions", {"action_type": "QUARANTINE", "options": {"toggle": "ON"}}).status == 400
    assert acme.effects() == []


def test_an_empty_search_quarantines_everything(acme):
    acme.quarantine(search={})
    assert [target for _, target, changed in acme.effects() if changed] == [PC, MAC]


def test_the_search_box_matches_parts_of_names(acme):
    assert [row["name"] for row in acme.search(query="name:pc-1").body["results"]] == ["PC-1", "PC-10"]
    assert acme.search(criteria={"os": ["MAC"]}).body["num_found"] == 1
    assert acme.search(query="name:").body["reason"] == "query_malformed_syntax"
    assert acme.search(criteria={"os": ["mac"]}).code == "INVALID_ENUM_VALUE"
    assert acme.search(criteria={"hostname": ["PC-1"]}).code == "UNKNOWN_FIELD"


def test_a_search_counts_from_one_and_ends_at_ten_thousand(acme):
    pages = [acme.search(rows=1, start=start).body["results"] for start in (1, 2, 3)]
    assert [[row["id"] for row in page] for page in pages] == [[int(PC)], [int(MAC)], []]
    assert acme.search(rows=100, start=9_950).status == 400


def test_a_scroll_has_no_end_but_the_last_device(acme):
    first = acme.call("POST", f"{V6}/devices/_scroll", {"rows": 1}).body
    second = acme.call("POST", f"{V6}/devices/_scroll", {"rows": 1, "search_after": first["search_after"]}).body
    assert [row["id"] for row in first["results"] + second["results"]] == [int(PC), int(MAC)]


def test_a_registration_that_was_left_stays_to_be_seen(acme):
    acme.simulation.world.change("acme", PC, decommissioned=True)
    assert acme.device()["status"] == "DEREGISTERED"
    acme.quarantine(PC)
    assert acme.effects() == [("isolate", PC, False)]
    assert acme.search(criteria={"status": ["ACTIVE"]}).body["num_found"] == 1


def test_groups_and_their_members(acme):
    assert acme.call("GET", GROUPS).body["results"][0]["member_count"] == 1
    assert acme.call("GET", f"{GROUPS}/g1/members", rows=5).body["members"][0]["external_member_id"] == PC
    assert acme.call("GET", f"{GROUPS}/nope/members").status == 404


@pytest.mark.parametrize(("style", "hits"), [("exact", 0), ("folded", 1), ("partial", 1)])
def test_how_a_group_name_matches_is_a_switch(style, hits):
    with organisation(name_match=style) as acme:
        assert acme.call("POST", f"{GROUPS}/_search", {"criteria": {"name": ["remediate"]}}).body["num_found"] == hits


def an_override(**changes):
    return {"description": "x", "override_list": "BLACK_LIST", "override_type": "SHA256", "sha256_hash": "a" * 64} | changes


@pytest.mark.parametrize("wrong", [{"override_list": "BAN"}, {"override_type": "MD5"}, {"sha256_hash": "a" * 32}])
def test_an_override_that_the_vendor_would_refuse_is_refused(acme, wrong):
    assert acme.call("POST", f"{V6}/reputations/overrides", an_override(**wrong)).status == 400
    assert acme.effects() == []


@pytest.mark.parametrize(("style", "status"), [("row", 200), (409, 409), (400, 400)])
def test_what_a_second_override_does_is_a_switch(style, status):
    with organisation(second_override=style) as acme:
        answers = [acme.call("POST", f"{V6}/reputations/overrides", an_override()) for _ in range(2)]
        assert [each.status for each in answers] == [200, status]
        assert [changed for *_, changed in acme.effects()] == [True, False]


def test_an_override_is_found_by_its_text_and_taken_back(acme):
    made = acme.call("POST", f"{V6}/reputations/overrides", an_override()).body["id"]
    found = acme.call("POST", f"{V6}/reputations/overrides/_search", {"query": "a" * 64, "criteria": {"override_list": ["BLACK_LIST"]}})
    assert [row["id"] for row in found.body["results"]] == [made]
    assert acme.call("DELETE", f"{V6}/reputations/overrides/{made}").status == 204
    assert acme.call("GET", f"{V6}/reputations/overrides/{made}").status == 404
    again = acme.call("POST", f"{V6}/reputations/overrides", an_override()).body["id"]
    assert acme.call("POST", f"{V6}/reputations/overrides/_delete", [again, "nope"]).body["results"] == [again]


def test_calling_on_while_throttled_prolongs_it():
    with organisation(requests_per_window=2) as acme:
        answers = [acme.call("GET", f"{V6}/devices/{PC}") for _ in range(3)]
        assert [each.status for each in answers] == [200, 200, 429]
        assert 295 <= int(answers[-1].headers["retry-after"]) <= 300
        acme.simulation.clock.advance(200)
        assert acme.call("GET", f"{V6}/devices/{PC}").status == 429
        acme.simulation.clock.advance(200)
        assert acme.call("GET", f"{V6}/devices/{PC}").status == 200


def test_the_secret_is_not_written_down(acme):
    acme.device()
    assert "hush" not in str(acme.simulation.journal.entries())


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="nonsense"):
        Options.from_dict({"nonsense": 1})


def test_replies_tell_the_vendors_time(acme):
    assert acme.call("GET", f"{V6}/devices/{PC}").headers["date"].endswith("GMT")
    assert acme.simulation.twins["carbon_black_cloud"].url.startswith("http://")
    assert acme.simulation.world.tenant("acme").cid == ORG
