"""What every ledger promises of records that could not be read: they are kept within bounds, and none is counted twice."""

from __future__ import annotations

import pytest

from ar_workers.domain import refusals
from ar_workers.domain.refusals import Fate, KeptRecord, key_of

MOST = refusals.MOST_KEPT


def a_record(number=1, *, payload=None, **changes):
    payload = {"id": number, "text": "x"} if payload is None else payload
    plain = {"id": str(number), "field": "created", "reason": "is missing", "key": key_of(str(number), payload), "payload": payload}
    return KeptRecord(**(plain | changes))


def fates(ledger, *records, feed="crowdstrike"):
    return [fate for fate, _ in ledger.refuse("acme", feed, records)]


def only(ledger):
    (found,) = ledger.refused("acme")
    return found


def test_a_record_is_kept_once_with_its_reason_and_the_instant(ledger):
    assert fates(ledger, a_record(1), a_record(2)) == [Fate.KEPT, Fate.KEPT]
    assert fates(ledger, a_record(1)) == [Fate.KNOWN]
    found = only(ledger)
    assert (found.customer, found.feed, found.dropped) == ("acme", "crowdstrike", 0)
    assert {each.key: each.model_copy(update={"at": None}) for each in found.records} == {
        each.key: each for each in (a_record(1), a_record(2))
    }
    assert all(each.at for each in found.records)
    assert "acme" in ledger.customers()


def test_what_changed_meanwhile_is_one_record_with_its_newest_content(ledger):
    fates(ledger, a_record(1))
    first = only(ledger).records[0].at
    assert fates(ledger, a_record(1, payload={"id": 1, "text": "y"}, reason="is not an instant")) == [Fate.KNOWN]
    (record,) = only(ledger).records
    assert (record.payload["text"], record.reason, record.at) == ("y", "is not an instant", first)


def test_records_without_an_id_are_told_apart_by_what_they_say():
    assert key_of("None", {"a": 1}) != key_of("None", {"a": 2})
    assert key_of("no object", 7) != key_of("no object", 8)


def test_beyond_the_bound_records_are_counted_once_each(ledger):
    assert fates(ledger, *map(a_record, range(MOST))) == [Fate.KEPT] * MOST
    more = [a_record(number) for number in range(MOST, MOST + 3)]
    assert fates(ledger, *more) == [Fate.DROPPED] * 3
    assert fates(ledger, *more) == [Fate.KNOWN] * 3
    assert (len(only(ledger).records), only(ledger).dropped) == (MOST, 3)


def test_a_counted_record_that_comes_again_when_there_is_room_is_kept_and_not_counted_any_more(ledger):
    fates(ledger, *map(a_record, range(MOST + 1)))
    assert ledger.let_go("acme", "crowdstrike", [a_record(0).key], is_looked_at=False) == 1
    assert fates(ledger, a_record(MOST)) == [Fate.KEPT]
    assert (len(only(ledger).records), only(ledger).dropped) == (MOST, 0)


def test_each_feed_and_each_customer_has_bounds_of_its_own(ledger):
    fates(ledger, *map(a_record, range(MOST)))
    assert fates(ledger, a_record(MOST), feed="defender") == [Fate.KEPT]
    assert [fate for fate, _ in ledger.refuse("globex", "crowdstrike", [a_record(MOST)])] == [Fate.KEPT]
    assert [each.feed for each in ledger.refused("acme")] == ["crowdstrike", "defender"]


def test_what_is_let_go_is_gone_and_comes_back_if_it_is_refused_again(ledger):
    fates(ledger, a_record(1))
    assert ledger.let_go("acme", "crowdstrike", [a_record(1).key, "no such key"], is_looked_at=False) == 1
    assert ledger.refused("acme") == []
    assert ledger.let_go("acme", "crowdstrike", [a_record(1).key], is_looked_at=False) == 0
    assert fates(ledger, a_record(1)) == [Fate.KEPT]


def test_what_a_person_has_looked_at_does_not_come_back(ledger):
    fates(ledger, a_record(1))
    ledger.let_go("acme", "crowdstrike", [a_record(1).key], is_looked_at=True)
    assert ledger.refuse("acme", "crowdstrike", [a_record(1)]) == [(Fate.KNOWN, "")]
    assert ledger.refused("acme") == []


def test_what_was_counted_is_shown_until_a_person_has_looked(ledger):
    fates(ledger, *map(a_record, range(MOST + 2)))
    keys = [each.key for each in only(ledger).records]
    ledger.let_go("acme", "crowdstrike", keys, is_looked_at=False)
    assert (only(ledger).records, only(ledger).dropped) == ((), 2)
    ledger.let_go("acme", "crowdstrike", [], is_looked_at=True)
    assert ledger.refused("acme") == []


def test_a_kind_has_one_beginning_until_the_last_of_it_is_let_go(ledger):
    (_, since), (_, same) = ledger.refuse("acme", "crowdstrike", [a_record(1), a_record(2)])
    ((_, other),) = ledger.refuse("acme", "crowdstrike", [a_record(3, field="id")])
    assert since == same != ""
    assert other != ""
    ledger.let_go("acme", "crowdstrike", [a_record(1).key], is_looked_at=False)
    assert ledger.refuse("acme", "crowdstrike", [a_record(2)]) == [(Fate.KNOWN, since)]
    ledger.let_go("acme", "crowdstrike", [a_record(2).key], is_looked_at=False)
    ((_, anew),) = ledger.refuse("acme", "crowdstrike", [a_record(2)])
    assert int(anew) >= int(since)


def test_of_kinds_there_are_so_many(ledger):
    records = [a_record(number, field="f" + "x" * number) for number in range(refusals.MOST_KINDS + 1)]
    sinces = [since for _, since in ledger.refuse("acme", "crowdstrike", records)]
    assert [bool(since) for since in sinces] == [True] * refusals.MOST_KINDS + [False]


@pytest.mark.parametrize("payload", ["x" * (refusals.LONGEST_KEPT + 1), {"a": ["y" * refusals.LONGEST_KEPT]}])
def test_a_record_that_is_too_long_is_kept_without_what_it_says(ledger, payload):
    fates(ledger, a_record(1, payload=payload))
    (record,) = only(ledger).records
    assert (record.id, record.is_whole, record.payload) == ("1", False, None)


@pytest.mark.parametrize("payload", [None, 0, "\ud800\x00", [], {"a": {"b": [1, 2.5, None, "ß"]}}])
def test_any_record_comes_back_as_it_was(ledger, payload):
    fates(ledger, KeptRecord(id="1", field="record", reason="is not an object", key="a" * 32, payload=payload))
    assert only(ledger).records[0].payload == payload


def test_reasons_that_differ_only_in_what_was_written_there_are_one_kind():
    kinds = {a_record(1, reason=f"is '{word}', known are a, b", field=f"parts.{number}").kind for number, word in enumerate("xyz")}
    assert len(kinds) == 1
    assert a_record(1, reason="is missing").kind != a_record(1, reason="is not a text").kind
