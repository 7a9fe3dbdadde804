"""What every vendor's feed promises, each against its twin: nothing is lost and nothing doubled, whenever a poller dies."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from ar_workers.automations import plan_for
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.limits import Limits, Rate
from ar_workers.edr import ADAPTERS
from ar_workers.feeds.gated import GatedFeed
from ar_workers.pipeline.poll import poll, read_feed
from ar_workers.simulator import Fault
from ar_workers.sources import FORMATS
from tests.builders import a_context, a_policy
from tests.edr.alerts import Alerts, read
from tests.edr.rigs import RIGS, SAMPLES
from tests.fakes import some_services
from tests.sources.samples import AT
from tests.sources.test_twins import published

OVERLAP = timedelta(minutes=10)
PAGE = 2
#: What the twins want to know, beside that pages are short.
OPTIONS = {Vendor.SENTINELONE: {"alerts": []}, Vendor.DEFENDER: {"page_size": PAGE}}


class Killed(Exception):
    """The process is gone."""


class Dying:
    """Whatever it wraps, until the nth call of one method: gone before it, or after it."""

    def __init__(self, inner, method, *, nth, after=False):
        self._inner, self._method, self._left, self._after = inner, method, nth, after

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        return self._fatal(found) if name == self._method else found

    def _fatal(self, method):
        def call(*arguments, **options):
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            answer = method(*arguments, **options)
            if self._left == 0:
                raise Killed
            return answer

        return call


@dataclasses.dataclass
class Bench:
    """A feed at its twin, with a ledger of its own."""

    rig: object
    alerts: Alerts
    services: object

    def poll(self):
        return read_feed(self.services, "acme", self.rig.vendor)

    def accepted(self):
        """How often each threat's events were accepted, by the ledger's own timelines."""
        ledger = self.services.ledger
        known = ledger.threats("acme", since=self.services.clock.now() - timedelta(days=1), limit=1000)
        lines = {each.id: ledger.threat("acme", each.id).timeline for each in known}
        return {int(name.removeprefix("T-")): sum(line.text == "accepted" for line in found) for name, found in lines.items()}


def feed_of(rig):
    short = {} if rig.vendor is Vendor.DEFENDER else {"page": PAGE}
    return ADAPTERS[rig.vendor].feed(rig.adapter._api._config, overlap=OVERLAP, **short)


def services_for(rig):
    services = some_services(readers={rig.vendor: read})
    feed = GatedFeed(feed_of(rig), services.ledger, "acme")
    return dataclasses.replace(services, feeds={("acme", rig.vendor): feed})


@contextmanager
def bench_of(vendor):
    with RIGS[vendor](**OPTIONS.get(vendor, {})) as rig:
        yield Bench(rig, Alerts(vendor, rig.simulation.world.tenant("acme")), services_for(rig))


@pytest.fixture(params=list(ADAPTERS))
def bench(request):
    with bench_of(request.param) as found:
        yield found


def test_all_pages_are_read_and_the_next_call_finds_only_duplicates(bench):
    for number in range(5):
        bench.alerts.publish(number, seconds_ago=300 - number)
    report = bench.poll()
    assert (report.accepted, report.error, report.is_more) == (5, "", False)
    assert report.pages > 2
    again = bench.poll()
    assert (again.accepted, again.refused, again.error) == (0, (), "")
    assert again.duplicates >= 5
    assert bench.accepted() == dict.fromkeys(range(5), 1)


def test_equal_times_on_both_sides_of_a_page_are_all_read(bench):
    for number in range(7):
        bench.alerts.publish(number, seconds_ago=300 if number in {0, 6} else 200)
    bench.poll()
    assert bench.accepted() == dict.fromkeys(range(7), 1)


def test_an_alert_that_comes_late_with_an_older_time_is_read(bench):
    bench.alerts.publish(1, seconds_ago=100)
    bench.poll()
    bench.alerts.publish(2, seconds_ago=400)
    assert bench.poll().accepted == 1
    assert bench.accepted() == {1: 1, 2: 1}


def test_an_updated_alert_is_read_again_as_another_event_of_its_threat(bench):
    row = bench.alerts.publish(1)
    bench.poll()
    bench.alerts.update(row)
    assert bench.poll().accepted == 1
    assert bench.accepted() == {1: 2}


def test_an_update_between_two_pages_shifts_no_alert_out_of_sight(bench):
    rows = [bench.alerts.publish(number, seconds_ago=300 - number) for number in range(6)]
    feed = bench.services.feeds["acme", bench.rig.vendor]
    page = feed.page("")
    bench.services.ledger.move_cursor("acme", feed.name, "", page.cursor)
    bench.alerts.update(rows[0])
    bench.poll()
    bench.poll()
    seen = set(bench.accepted()) | {each.payload["number"] for each in page.records}
    assert seen == set(range(6))


def test_what_stood_in_the_console_before_the_first_call_is_history(bench):
    bench.alerts.publish(1, seconds_ago=3600)
    assert bench.poll().accepted == 0


def test_what_came_while_no_poller_ran_is_read(bench):
    bench.poll()
    feed = bench.services.feeds["acme", bench.rig.vendor]._feed
    later = dataclasses.replace(feed, now=lambda: feed.now() + timedelta(days=3))
    bench.alerts.publish(1, seconds_ago=0)
    stale = dataclasses.replace(bench.services, feeds={("acme", bench.rig.vendor): later})
    assert read_feed(stale, "acme", bench.rig.vendor).accepted == 1


def test_a_clock_that_is_ahead_does_not_lead_the_cursor_past_what_comes(bench):
    bench.alerts.publish(1, seconds_ago=-86_400)
    bench.poll()
    bench.alerts.publish(2, seconds_ago=0)
    bench.poll()
    assert 2 in bench.accepted()


@pytest.mark.parametrize("point", ["after reading", "before accepting", "after accepting", "before moving", "after moving"])
def test_a_poller_killed_anywhere_loses_and_doubles_nothing(bench, point):
    for number in range(5):
        bench.alerts.publish(number, seconds_ago=300 if number < 3 else 200)
    method = {"reading": "page", "accepting": "accept", "moving": "move_cursor"}[point.split()[1]]
    for nth in (1, 2, 3):
        services = bench.services = services_for(bench.rig)
        fatal = {"method": method, "nth": nth, "after": point.startswith("after")}
        key, feed = next(iter(services.feeds.items()))
        dying = {"feeds": {key: Dying(feed, **fatal)}} if method == "page" else {"ledger": Dying(services.ledger, **fatal)}
        with pytest.raises(Killed):
            read_feed(dataclasses.replace(services, **dying), "acme", bench.rig.vendor)
        assert bench.poll().error == ""
        assert bench.accepted() == dict.fromkeys(range(5), 1)


def test_a_record_that_cannot_be_read_is_named_and_stops_no_other(bench, caplog):
    bench.alerts.publish(1)
    bench.alerts.publish(2)["number"] = "two"
    bench.alerts.publish(3)
    report = bench.poll()
    assert (report.accepted, [each.field for each in report.refused]) == (2, ["number"])
    assert report.refused[0].id in caplog.text
    caplog.clear()
    assert len(bench.poll().refused) == 1
    assert "refused" not in caplog.text


def test_an_error_ends_the_call_and_the_next_one_goes_on(bench):
    for number in range(5):
        bench.alerts.publish(number, seconds_ago=300 - number)
    bench.rig.simulation.faults.add(Fault(action="reply", status=503, path="*lert*", calls=(2,)))
    bench.rig.simulation.faults.add(Fault(action="reply", status=503, path="*threats", calls=(2,)))
    report = bench.poll()
    assert (report.pages, report.accepted) == (1, PAGE)
    assert "503" in report.error
    assert bench.poll().error == ""
    assert bench.accepted() == dict.fromkeys(range(5), 1)


def test_no_more_is_asked_than_the_allowance_gives(bench):
    for number in range(6):
        bench.alerts.publish(number, seconds_ago=300 - number)
    calls, minute = 12, timedelta(minutes=1)
    ledger, clock = bench.services.ledger, bench.services.clock
    ledger.limit("acme", bench.rig.vendor, Limits(rates=(Rate(calls=calls, per=minute),), on_429="", source=""))
    asked = [0]
    for _ in range(60):
        # Each call by another process, which shares nothing but the ledger.
        feed = GatedFeed(feed_of(bench.rig), ledger, "acme")
        read_feed(dataclasses.replace(bench.services, feeds={("acme", bench.rig.vendor): feed}), "acme", bench.rig.vendor)
        clock.advance(minute / 6)
        asked.append(len(bench.rig.simulation.journal.requests()))
    assert bench.accepted() == dict.fromkeys(range(6), 1)
    assert max(late - early for early, late in zip(asked, asked[6:], strict=False)) <= calls


def test_two_schedulers_make_one_poll(bench):
    bench.alerts.publish(1)
    reports = [poll(bench.services, "acme", bench.rig.vendor) for _ in range(2)]
    assert [each.is_early for each in reports] == [False, True]
    bench.services.clock.advance(bench.services.poll_every)
    assert not poll(bench.services, "acme", bench.rig.vendor).is_early


def test_the_secret_is_in_no_repr(bench):
    assert "canary-secret" not in repr(bench.services.feeds) + repr(feed_of(bench.rig))


@pytest.mark.parametrize(
    ("vendor", "options"),
    [
        (Vendor.DEFENDER, {"empty_list": "404"}),
        (Vendor.CORTEX_XDR, {"counts": "null"}),
        (Vendor.CARBON_BLACK_EDR, {"refusals": "json"}),
    ],
)
def test_what_is_unverified_is_read_both_ways(vendor, options):
    with RIGS[vendor](**{**OPTIONS.get(vendor, {}), **options}) as rig:
        bench = Bench(rig, Alerts(vendor, rig.simulation.world.tenant("acme")), services_for(rig))
        assert (bench.poll().error, bench.accepted()) == ("", {})
        for number in range(5):
            bench.alerts.publish(number, seconds_ago=300 - number)
        bench.poll()
        assert bench.accepted() == dict.fromkeys(range(5), 1)


def test_star_alerts_are_read_where_the_file_asks_for_them():
    with RIGS[Vendor.SENTINELONE](alerts=[], config={"star_alerts": True, "scope": "tenant"}) as rig:
        alerts = Alerts(Vendor.SENTINELONE, rig.simulation.world.tenant("acme"))
        bench = Bench(rig, alerts, services_for(rig))
        row = alerts.publish(1)
        alerts.tenant.add_alert({"alertInfo": {"alertId": "9", **row["threatInfo"]}, "number": 9, "revision": 1})
        bench.poll()
        assert bench.accepted() == {1: 1, 9: 1}


def test_a_threat_of_another_account_is_not_read():
    with bench_of(Vendor.SENTINELONE) as bench:
        bench.alerts.publish(1)["agentRealtimeInfo"]["accountId"] = "9000000000000000009"
        assert (bench.poll().error, bench.accepted()) == ("", {})


def test_an_update_of_an_alert_older_than_the_hidden_window_is_read():
    with bench_of(Vendor.CARBON_BLACK_CLOUD) as bench:
        bench.poll()
        row = bench.alerts.publish(1, seconds_ago=10 * 86_400)
        bench.poll()
        assert bench.accepted() == {}
        came = row["backend_timestamp"]
        bench.alerts.update(row)
        row["backend_timestamp"] = came
        bench.poll()
        assert bench.accepted() == {1: 1}


def test_there_is_a_reader_for_every_feed(bench):
    assert feed_of(bench.rig).reader in FORMATS


def planned(services, name):
    """What each accepted event comes to: its verbs, and why it is told only."""
    ledger = services.ledger
    known = [each.id for each in ledger.threats("acme", since=services.clock.now() - timedelta(days=1), limit=10)]
    refs = [f"acme:{line.row}" for threat in known for line in ledger.threat("acme", threat).timeline]
    context = a_context(policy=a_policy(remediate_groups={name: frozenset({"Remediate"})}))
    return [([each.verb for each in plan_for(event, context).actions], event.told_only) for event in ledger.events(refs)]


@pytest.mark.parametrize("name", list(ADAPTERS))
@pytest.mark.parametrize("begun_before", [timedelta(minutes=1), -timedelta(minutes=1)])
def test_only_an_alert_that_was_created_after_polling_began_is_acted_on(name, begun_before):
    options = {"config": {"scope": "tenant"}} if name is Vendor.SENTINELONE else {}
    with RIGS[name](**options) as rig:
        rig.simulation.world.tenant(rig.tenant).alerts.clear()
        feed = dataclasses.replace(feed_of(rig), now=lambda: datetime.fromisoformat(AT) - begun_before)
        services = some_services(readers=FORMATS, feeds={("acme", name): feed})
        assert read_feed(services, "acme", name).error == ""
        published(rig, SAMPLES[name])
        # Another process, which knows only the cursor.
        later = dataclasses.replace(services, feeds={("acme", name): feed_of(rig)})
        assert read_feed(later, "acme", name).accepted == 1
        ((verbs, told_only),) = planned(services, name)
        assert ("isolate" in verbs, bool(verbs), bool(told_only)) == (
            (True, True, False) if begun_before > timedelta() else (False, False, True)
        )


@pytest.mark.parametrize("name", list(ADAPTERS))
def test_a_whole_alert_goes_from_the_vendor_into_the_ledger_once(name):
    options = {"config": {"scope": "tenant"}} if name is Vendor.SENTINELONE else {}
    with RIGS[name](**options) as rig:
        published(rig, SAMPLES[name])
        # However old the sample is.
        feed = dataclasses.replace(feed_of(rig), overlap=timedelta(days=10_000))
        services = some_services(readers=FORMATS, feeds={("acme", name): feed})
        first, again = (read_feed(services, "acme", name) for _ in range(2))
        assert (first.accepted, first.refused, first.error) == (1, (), "")
        assert (again.accepted, again.refused, again.error) == (0, (), "")
