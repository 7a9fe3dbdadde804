"""What a seal covers, and what becomes of one that is missing or odd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.guards import Guard
from ar_workers.domain.seals import (
    Place,
    Role,
    Seal,
    Sealed,
    Together,
    joined,
    levels_of,
    path_of,
    read_seal,
    root_of,
    row_leaf,
    statement_of,
    written,
    written_place,
)
from ar_workers.seals import Seals
from tests.keys import Everybody, a_ring

TEXT = st.text(max_size=6)
RING, PEOPLE = a_ring(), Everybody()


def a_sealed(**changes):
    plain = Sealed("acme", "THREAT-1", "acme:isolate:1", "action", "isolate", "crowdstrike", "crowdstrike/a1", "crowdstrike", "{}")
    return plain._replace(**changes)


@given(st.lists(TEXT, max_size=5), st.lists(TEXT, max_size=5))
def test_two_lists_never_come_to_the_same_bytes(one, other):
    assert (joined(one) == joined(other)) is (one == other)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33])
def test_every_leaf_finds_the_root_by_its_own_path_and_from_its_own_place_alone(count):
    leaves = [row_leaf(a_sealed(name=str(number)), "e1") for number in range(count)]
    levels = levels_of(leaves)
    for index, leaf in enumerate(leaves):
        path = path_of(levels, index)
        found = [root_of(leaf, Place(place, count, path, "e1")) for place in range(count)]
        assert [place for place, root in enumerate(found) if root == levels[-1][0]] == [index]


@given(st.integers(1, 40), st.integers(-1, 41), st.integers(-1, 60), st.binary(max_size=64))
def test_no_other_place_or_path_leads_to_the_root(count, index, other_count, path):
    leaves = [row_leaf(a_sealed(name=str(number)), "e1") for number in range(count)]
    levels = levels_of(leaves)
    if (index, other_count, path) != (0, count, path_of(levels, 0)):
        root = root_of(leaves[0], Place(index, other_count, path, "e1"))
        assert root != levels[-1][0] or other_count != count


def test_a_node_is_no_leaf():
    leaves = [row_leaf(a_sealed(name=str(number)), "e1") for number in range(2)]
    (root,) = levels_of(leaves)[-1]
    assert row_leaf(a_sealed(), "e1") != root
    assert levels_of([root]) == [[root]]


@pytest.mark.parametrize("text", ["", " ", "a b", "a 1 !", "a 1 AAAA=", "a 01x AAAA", "a 1 AAB=", "a 1 AAAA "])
def test_what_is_spelled_otherwise_is_no_seal(text):
    assert read_seal(text) is None


def test_the_rows_of_a_plan_have_one_signature():
    rows = [a_sealed(name=str(number)) for number in range(9)]
    found = Seals(RING, people=PEOPLE).plans([("e1", row) for row in rows])
    assert len({seal.split(" ")[2] for seal in found}) == 1
    assert [Seals(RING, people=PEOPLE).row_flaw(row, seal) for row, seal in zip(rows, found, strict=True)] == [None] * 9


def test_a_plan_of_nothing_has_no_seal():
    assert Seals(RING, people=PEOPLE).plans([]) == []


def test_events_that_are_accepted_together_have_one_signature():
    events = [("acme", f"e{number}", "{}") for number in range(9)]
    found = Seals(RING, people=PEOPLE).events(events)
    assert len({seal.split(" ")[2] for seal in found}) == 1
    assert [Seals(RING, people=PEOPLE).event_flaw(*event, seal) for event, seal in zip(events, found, strict=True)] == [None] * 9


@pytest.mark.parametrize("other", [("globex", "e1", "{}"), ("acme", "e2", "{}"), ("acme", "e1", "{ }"), ("acme", "e1{", "}")])
def test_an_events_seal_is_of_no_other_event(other):
    seal = Seals(RING, people=PEOPLE).events([("acme", "e1", "{}"), ("acme", "e3", "{}")])[0]
    assert Seals(RING, people=PEOPLE).event_flaw("acme", "e1", "{}", seal) is None
    assert "does not fit" in Seals(RING, people=PEOPLE).event_flaw(*other, seal).reason


def test_what_was_signed_as_events_is_no_plan():
    """A door's key that also plans, as in a ring whose roles share one, says only what it was asked to say."""
    same = a_ring()
    same.own[Role.RESPOND], same.trusted[Role.RESPOND] = same.own[Role.DOOR], same.trusted[Role.DOOR]
    row = a_sealed()
    leaf = row_leaf(row, "e1")
    key_id, signature = same.sign(Role.DOOR, statement_of(Together.EVENTS, 1, leaf, "1"))
    forged = written(Seal(key_id, "1", signature, written_place(Place(0, 1, b"", "e1"))))
    assert "does not fit" in Seals(same, people=PEOPLE, now=lambda: 0).row_flaw(row, forged).reason
    _, signature = same.sign(Role.RESPOND, statement_of(Together.PLANS, 1, leaf, "1"))
    assert (
        Seals(same, people=PEOPLE, now=lambda: 0).row_flaw(
            row, written(Seal(key_id, "1", signature, written_place(Place(0, 1, b"", "e1"))))
        )
        is None
    )


@pytest.mark.parametrize("field", Sealed._fields)
def test_every_field_is_sealed(field):
    seal = Seals(RING, people=PEOPLE).plans([("e1", a_sealed())])[0]
    assert Seals(RING, people=PEOPLE).row_flaw(a_sealed(), seal) is None
    assert "does not fit" in Seals(RING, people=PEOPLE).row_flaw(a_sealed(**{field: "another"}), seal).reason


def test_what_has_no_seal_is_believed_only_where_that_is_allowed():
    strict, lax = Seals(RING, people=PEOPLE), Seals(RING, people=PEOPLE, allows_unsealed=True)
    assert "AR_UNSEALED" in strict.event_flaw("acme", "e1", "{}", "").reason
    assert lax.event_flaw("acme", "e1", "{}", "") is None
    assert lax.row_flaw(a_sealed(), "") is None
    assert lax.approved("acme:isolate:1", 1, {"blast_radius"}, []) == ({"blast_radius": ""}, None)
    assert lax.event_flaw("acme", "e1", "{}", strict.events([("acme", "e2", "{}")])[0]) is not None


def test_the_last_word_on_a_guard_counts():
    seals, row = Seals(RING, people=PEOPLE), "acme:isolate:1"
    word, other = (seals.approval(row, 1, guard, by="kim", reason="yes") for guard in (Guard.PROTECTED, Guard.WELL_KNOWN))
    assert seals.approved(row, 1, {Guard.PROTECTED, Guard.WELL_KNOWN}, [word, other]) == (
        {Guard.PROTECTED: "kim", Guard.WELL_KNOWN: "kim"},
        None,
    )
    assert seals.approved(row, 1, {Guard.PROTECTED}, [word, f"a 1 AAAA {Guard.PROTECTED} bm8= bm8="]) == ({}, None)
