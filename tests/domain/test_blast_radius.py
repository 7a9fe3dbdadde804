"""How much of a remediate group may be isolated in an hour."""

from __future__ import annotations

import pytest

from ar_workers.domain.blast_radius import enough, has_shares, names_within, share_of, share_of_unknown
from ar_workers.domain.endpoints import Vendor
from tests.builders import a_policy


@pytest.mark.parametrize(("size", "most"), [(0, 5), (1, 5), (25, 5), (29, 5), (30, 6), (100, 20), (124, 24), (10_000, 2000)])
def test_a_fifth_of_a_group_and_five_in_any_case(size, most):
    assert share_of(a_policy(), size).most == most


def test_the_customer_says_which_share_and_how_many_in_any_case():
    policy = a_policy(isolations_percent_of_group=50, isolations_least_of_group=1)
    assert [share_of(policy, size).most for size in (1, 2, 3, 10)] == [1, 1, 1, 5]


def test_the_reason_says_how_it_follows_from_the_size():
    assert share_of(a_policy(), 60).words == "20 % of 60 endpoints"
    assert share_of(a_policy(), 12).words == "20 % of 12 endpoints, but 5 in any case"
    assert share_of_unknown(a_policy(), "403").words == "its size is not known: 403"


def test_of_a_group_whose_size_is_not_known_only_a_few_may_be_isolated():
    assert share_of_unknown(a_policy(isolations_least_of_group=2), "403").most == 2


@pytest.mark.parametrize(("percent", "cap", "counted"), [(20, 25, 125), (30, 25, 84), (1, 25, 2500), (20, 0, 0), (0, 25, 0)])
def test_no_more_is_counted_than_it_takes_to_know_that_the_customers_cap_comes_first(percent, cap, counted):
    policy = a_policy(isolations_percent_of_group=percent, isolations_per_hour=cap)
    assert enough(policy) == counted
    if percent:
        assert share_of(policy, counted).most >= cap


@pytest.mark.parametrize(
    ("changes", "has"),
    [({}, True), ({"isolations_percent_of_group": 100}, False), ({"isolations_per_hour": 5}, False), ({"isolations_per_hour": 6}, True)],
)
def test_a_group_counts_only_where_it_can_be_full_before_the_customers_cap_is_reached(changes, has):
    policy = a_policy(**changes)
    assert has_shares(policy) is has
    assert bool(names_within(policy, Vendor.CROWDSTRIKE, {"Remediate"})) is has


def test_only_remediate_groups_of_that_edr_count():
    policy = a_policy(remediate_groups={Vendor.CROWDSTRIKE: frozenset({"B", "A"}), Vendor.DEFENDER: frozenset({"C"})})
    assert names_within(policy, Vendor.CROWDSTRIKE, {"A", "B", "C", "D"}) == ["crowdstrike/A", "crowdstrike/B"]
    assert names_within(policy, Vendor.CROWDSTRIKE, None) == []
