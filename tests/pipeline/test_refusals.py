"""A record that cannot be read is kept, told once per kind, and becomes an event as soon as it can be read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.errors import InvalidEvent, LedgerFull
from ar_workers.domain.refusals import MOST_KEPT
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.poll import read_feed
from ar_workers.pipeline.refusals import read_again
from ar_workers.ports import Page, Record
from tests.builders import NOON, a_threat, a_threat_published
from tests.clocks import a_ledger
from tests.fakes import PLENTY, some_services


class Feed:
    """One page of these records, again and again."""

    name = reader = "feed"
    limits = PLENTY

    def __init__(self, records, begun=None):
        self.records, self.begun = records, begun

    def page(self, cursor):
        return Page(tuple(self.records), f"{cursor}.", is_more=False, begun=self.begun)


class Reader:
    """Reads `{"id": n}`, and refuses what has a `wrong` field until `knows` says that it knows it."""

    def __init__(self):
        self.knows = set()

    def __call__(self, record, *, customer):
        wrong = record.get("wrong")
        if wrong == "defect":
            raise RuntimeError(wrong)
        if wrong and wrong not in self.knows:
            raise InvalidEvent(wrong, f"is '{record['id']}', which nobody knows")
        name = f"e{record['id']}"
        return a_threat_published(id=name, customer=customer, threat=a_threat(id=name), endpoints=())


def a_record(number, wrong="word", **more):
    return Record(str(number), {"id": number, "wrong": wrong, **more})


def services_with(*records, begun=None):
    return some_services(readers={"feed": Reader()}, feeds={("acme", "feed"): Feed(records, begun)})


def told(services):
    services.doorbell.answer(services)
    return [each.notification.headline for each in services.channels["tre", "slack"].sent]


def kept(services):
    return [each.id for found in services.ledger.refused("acme") for each in found.records]


def again(services):
    (found,) = services.ledger.refused("acme")
    return read_again(services, found, found.records)


def test_records_that_cannot_be_read_are_kept_and_told_once_per_kind_and_not_once_per_record():
    services = services_with(a_record(1), a_record(2), a_record(3, "other"), a_record(4, None))
    for _ in range(3):
        report = read_feed(services, "acme", "feed")
        assert [each.id for each in report.refused] == ["1", "2", "3"]
    assert sorted(kept(services)) == ["1", "2", "3"]
    assert [line for line in told(services) if "cannot be read" in line] == [
        "feed: a record cannot be read: word: is '1', which nobody knows",
        "feed: a record cannot be read: other: is '3', which nobody knows",
    ]


def test_a_defect_of_a_reader_is_kept_likewise():
    services = services_with(a_record(1, "defect"))
    read_feed(services, "acme", "feed")
    assert kept(services) == ["1"]
    assert told(services) == ["feed: a record cannot be read: record: the reader failed (RuntimeError)"]


def test_the_tres_are_paged_under_a_key_of_its_own_and_told_what_to_do():
    services = services_with(a_record(1), a_record(2, "other"))
    read_feed(services, "acme", "feed")
    told(services)
    first, second = (each.notification for each in services.channels["tre", "pagerduty"].sent)
    assert first.incident != second.incident
    assert "arctl poll --refused --customer acme" in dict(first.facts)["What to do"]


def test_what_a_later_version_can_read_becomes_an_event_and_leaves_the_list():
    services = services_with(a_record(1), a_record(2, "other"))
    read_feed(services, "acme", "feed")
    services.readers["feed"].knows.add("word")
    found = again(services)
    assert (found.accepted, found.duplicates, [each.id for each in found.refused]) == (1, 0, ["2"])
    assert kept(services) == ["2"]
    assert "HIGH threat published: e1" in told(services)


def test_reading_again_in_vain_changes_nothing_and_tells_nobody_anew():
    services = services_with(a_record(1))
    read_feed(services, "acme", "feed")
    before = told(services)
    assert [each.id for each in again(services).refused] == ["1"]
    assert (kept(services), told(services)) == (["1"], before)


def test_what_is_read_again_is_told_only_if_it_was_created_before_polling_began():
    services = services_with(a_record(1), begun=NOON + timedelta(seconds=1))
    read_feed(services, "acme", "feed")
    services.readers["feed"].knows.add("word")
    again(services)
    services.doorbell.answer(services)
    (note,) = [each.notification for each in services.channels["tre", "slack"].sent if each.notification.threat]
    assert "created before polling began" in dict(note.facts)["Not acted on"]


def test_a_record_that_its_vendor_has_mended_leaves_the_list_by_itself():
    services = services_with(a_record(1))
    read_feed(services, "acme", "feed")
    services.feeds["acme", "feed"].records = [a_record(1, None)]
    assert read_feed(services, "acme", "feed").accepted == 1
    assert kept(services) == []


def test_a_kind_that_is_over_is_told_anew_when_it_comes_again():
    services = services_with(a_record(1))
    read_feed(services, "acme", "feed")
    services.readers["feed"].knows.add("word")
    again(services)
    services.readers["feed"].knows.clear()
    services.clock.advance(timedelta(hours=1))
    services.feeds["acme", "feed"].records = [a_record(5)]
    read_feed(services, "acme", "feed")
    assert len([line for line in told(services) if "cannot be read" in line]) == 2


def test_a_flood_is_kept_within_bounds_and_told_once():
    services = services_with(*map(a_record, range(MOST_KEPT + 50)))
    for _ in range(2):
        read_feed(services, "acme", "feed")
    (found,) = services.ledger.refused("acme")
    assert (len(found.records), found.dropped) == (MOST_KEPT, 50)
    assert len(told(services)) == 1


class Full(RedisLedger):
    """A ledger without room."""

    def refuse(self, customer, feed, records):
        raise LedgerFull("no room")


def test_the_cursor_stays_where_nothing_could_be_kept():
    feeds = {("acme", "feed"): Feed([a_record(1)])}
    services = some_services(readers={"feed": Reader()}, feeds=feeds, ledger=a_ledger(kind=Full))
    assert "no room" in read_feed(services, "acme", "feed").error
    assert services.ledger.cursor("acme", "feed") == ""


@pytest.mark.parametrize("customer", ["acme", "globex"])
def test_a_feed_that_is_not_polled_any_more_is_left(customer):
    assert read_feed(some_services(), customer, "feed").error == "is not polled any more"
