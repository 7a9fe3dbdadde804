"""Walks along a time: which page follows which, whatever the list does meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.errors import Denied, VendorFault
from ar_workers.feeds.walk import Listing, Walk, Walks, instant, iso, numbered
from tests.fakes import PLENTY

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Source:
    """A vendor's list of (number, minute), in pages of two that are numbered."""

    def __init__(self, *rows, size=2, ordered=True):
        self.rows, self.size, self.ordered, self.asked = list(rows), size, ordered, []

    def ask(self, since, token):
        self.asked.append(((since - NOON) // timedelta(minutes=1), token))
        found = [row for row in self.rows if row["at"] >= iso(since)]
        found = sorted(found, key=lambda row: row["at"]) if self.ordered else found
        start = int(token or 0)
        return numbered(found[start : start + self.size], token, size=self.size, total=None)


def a_row(number, minute):
    return {"id": number, "at": iso(NOON + timedelta(minutes=minute))}


def walks(*sources, **more):
    made = tuple(
        Walk(f"list {position}", source.ask, lambda row: row.get("id"), lambda row: instant(row.get("at")), is_ordered=source.ordered)
        for position, source in enumerate(sources)
    )
    defaults = {"overlap": timedelta(minutes=10), "now": lambda: NOON + timedelta(minutes=30)}
    return Walks("vendor", PLENTY, made, **(defaults | more))


def a_round(feed, cursor="", most=200):
    found = []
    for _ in range(most):
        page = feed.page(cursor)
        cursor = page.cursor
        found += [record.id for record in page.records]
        if not page.is_more:
            return found, cursor
    raise AssertionError("the round does not end")


def begun(*names, minute=0):
    return json.dumps({name: {"newest": (NOON + timedelta(minutes=minute)).isoformat()} for name in names or ("list 0",)})


@given(
    minutes=st.lists(st.integers(0, 20), max_size=30, unique=True),
    # A page of one row is a whole page of one instant: see the module on those.
    size=st.integers(2, 5),
    ordered=st.booleans(),
    meddling=st.lists(st.tuples(st.integers(0, 20), st.integers(0)), max_size=8),
)
def test_no_row_is_missed_because_others_come_or_change_between_pages(minutes, size, ordered, meddling):
    source = Source(*(a_row(number, minute) for number, minute in enumerate(minutes)), size=size, ordered=ordered)
    feed, cursor, seen = walks(source, overlap=timedelta(seconds=1)), begun(minute=-1), set()
    for number, (minute, place) in enumerate(meddling):
        page = feed.page(cursor)
        cursor, seen = page.cursor, seen | {record.id for record in page.records}
        if ordered and minutes:
            source.rows[place % len(minutes)]["at"] = a_row(0, 21)["at"]
        source.rows.append(a_row(f"late {number}", minute + 0.01 * (number + 1)))
    found, _ = a_round(feed, cursor)
    assert {str(number) for number in range(len(minutes))} <= seen | set(found)


def test_the_next_page_begins_at_the_last_instant():
    source = Source(a_row(1, 1), a_row(2, 2), a_row(3, 2), a_row(4, 3))
    assert sorted(set(a_round(walks(source), begun())[0])) == ["1", "2", "3", "4"]
    assert source.asked == [(-10, ""), (2, ""), (2, "2")]


def test_a_round_begins_an_overlap_before_the_newest():
    source = Source(a_row(1, 1), a_row(2, 25))
    feed = walks(source)
    _, cursor = a_round(feed, begun())
    source.asked.clear()
    a_round(feed, cursor)
    assert source.asked[0] == (15, "")


def test_a_list_in_another_order_than_asked_for_is_read_by_its_tokens():
    source = Source(a_row(1, 9), a_row(2, 8), a_row(3, 1))
    source.ordered = False
    feed = walks(source)
    object.__setattr__(feed.walks[0], "is_ordered", True)
    assert a_round(feed, begun())[0] == ["1", "2", "3"]


def test_all_lists_begin_when_the_first_is_asked():
    first, second = Source(), Source()
    feed = walks(first, second)
    page = feed.page("")
    assert page.is_more
    later = walks(first, second, now=lambda: NOON + timedelta(days=1))
    later.page(page.cursor)
    assert second.asked == [(20, "")]


def test_every_page_carries_when_polling_began_and_a_new_process_keeps_it():
    sources = [Source(*(a_row(number, number) for number in range(20, 25))) for _ in range(2)]
    cursor, found = "", []
    for hour in range(6):
        page = walks(*sources, now=lambda hour=hour: NOON + timedelta(hours=hour)).page(cursor)
        cursor, found = page.cursor, [*found, page.begun]
    assert found == [NOON] * 6


def test_a_cursor_of_version_0_1_0_began_at_its_oldest_instant():
    old = {
        "list 0": {"newest": iso(NOON), "since": iso(NOON - timedelta(minutes=3))},
        "list 1": {"newest": iso(NOON - timedelta(minutes=1))},
    }
    page = walks(Source(), Source()).page(json.dumps({**old, "turn": 1}))
    assert page.begun == NOON - timedelta(minutes=3)
    assert walks(Source(), Source()).page(page.cursor).begun == page.begun


def test_one_list_is_read_after_the_other():
    feed = walks(Source(a_row(1, 1), a_row(2, 2), a_row(3, 3)), Source(a_row(9, 1)))
    found, cursor = a_round(feed, begun("list 0", "list 1"))
    assert (set(found), found[-1]) == ({"1", "2", "3", "9"}, "9")
    assert json.loads(cursor)["turn"] == 0


def test_a_token_that_has_grown_old_begins_its_instant_again():
    source = Source(*(a_row(number, 1) for number in range(5)))
    feed, plain = walks(source), source.ask
    cursor = feed.page(begun()).cursor

    def ask(since, token):
        if token:
            raise Denied("invalid cursor")
        return plain(since, token)

    object.__setattr__(feed.walks[0], "ask", ask)
    assert [record.id for record in feed.page(cursor).records] == ["0", "1"]


def test_a_refusal_without_a_token_is_told():
    def ask(since, token):
        raise Denied("no such list")

    with pytest.raises(Denied):
        Walks("vendor", PLENTY, (Walk("x", ask, id, instant),)).page("")


def test_a_list_whose_pages_repeat_is_a_fault_and_no_endless_round():
    walk = Walk("x", lambda since, token: Listing([a_row(1, 1)], "again"), lambda row: row["id"], lambda row: None)
    with pytest.raises(VendorFault, match="does not go on"):
        a_round(Walks("vendor", PLENTY, (walk,)))


@pytest.mark.parametrize("rows", [[None], ["text"], [{}], [{"at": 7}], [{"at": "soon"}]])
def test_what_is_no_row_is_given_all_the_same(rows):
    walk = Walk("x", lambda since, token: Listing(rows, ""), lambda row: row.get("id"), lambda row: instant(row.get("at")))
    assert [record.payload for record in Walks("vendor", PLENTY, (walk,)).page("").records] == rows


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24T12:00:00.0000009Z", NOON),
        ("2026-11-24T13:00:00+01:00", NOON),
        ("2026-11-24T12:00:00", NOON),
        ("yesterday", None),
        (1, None),
        (None, None),
    ],
)
def test_instants_are_read_as_vendors_write_them(text, at):
    assert instant(text) == at


@pytest.mark.parametrize(
    ("rows", "token", "total", "following"),
    [([1, 2], "", None, "2"), ([1], "4", None, ""), ([1, 2], "4", 6, ""), ([1], "4", 6, "5"), ([], "4", 6, ""), ([1, 2], "", "2", "2")],
)
def test_numbered_pages_end_at_the_total_or_at_a_short_page(rows, token, total, following):
    assert numbered(rows, token, size=2, total=total).following == following
