"""A listing finds what comparing with each entry finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain import vital
from ar_workers.domain.listing import Listing
from ar_workers.domain.spelling import may_be

NAMES = st.sampled_from(["windows", "system32", "system", "a*", "*", "progra~1", "program files", "pr1a2b~1", "x"])
WAYS = st.lists(NAMES, min_size=1, max_size=3)


def one_by_one(entries, way, lies):
    return next((name for name, names in entries if lies(way, names) and all(map(may_be, way, names))), None)


@given(st.lists(WAYS, max_size=8), WAYS)
def test_the_first_entry_is_told_that_comparing_with_each_would_tell(ways, way):
    entries = [(str(place), names) for place, names in enumerate(ways)]
    listing = Listing(entries)
    assert listing.above(way) == one_by_one(entries, way, lambda one, listed: len(one) >= len(listed))
    assert listing.below(way) == one_by_one(entries, way, lambda one, listed: len(one) <= len(listed))
    assert listing.same(way) == one_by_one(entries, way, lambda one, listed: len(one) == len(listed))


def test_of_several_ways_each_is_followed():
    listing = Listing([("first", ["a", "b"]), ("second", ["c"])])
    assert listing.above(["c", "x"], ["a", "b", "y"]) == "first"
    assert listing.above(["c", "x"], ["a", "z"]) == "second"
    assert listing.above([]) is listing.below([]) is listing.same([]) is None


@pytest.mark.parametrize("entry", sorted(vital.entries(vital.WINDOWS_FILES))[:20])
def test_an_entry_is_found_under_itself(entry):
    listing = Listing((each, each.split("\\")) for each in vital.entries(vital.WINDOWS_FILES))
    assert listing.same(entry.split("\\")) is not None
