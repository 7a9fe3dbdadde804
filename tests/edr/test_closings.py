"""What people close in a vendor's console, from the vendor's twin through its feed into the ledger, and back."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from ar_workers.domain.endpoints import Vendor
from ar_workers.edr import ADAPTERS
from ar_workers.pipeline.poll import read_feed
from ar_workers.sources import FORMATS
from tests.edr.rigs import RIGS, SAMPLES
from tests.edr.test_feeds import feed_of
from tests.fakes import some_services
from tests.sources.samples import AT
from tests.sources.test_twins import published

CAME = datetime.fromisoformat(AT)
MINUTE = timedelta(minutes=1)


def _iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _sentinelone(word):
    return lambda row, at: row["threatInfo"].update(incidentStatus=word, updatedAt=_iso(at))


def _cloud(word):
    """The service's own time of its last update does not move."""
    return lambda row, at: row.update(workflow={"status": word, "change_timestamp": _iso(at)}, user_update_timestamp=_iso(at))


def _cortex(word):
    return lambda row, at: row.update(resolution_status=word, last_modified_ts=int(at.timestamp() * 1000))


def _plain(field, word, time):
    return lambda row, at: row.update({field: word, time: at and _iso(at)})


#: How people close an alert at each vendor, and open it again.
CLOSED_AND_REOPENED = {
    Vendor.CROWDSTRIKE: tuple(_plain("status", word, "updated_timestamp") for word in ("closed", "reopened")),
    Vendor.DEFENDER: tuple(_plain("status", word, "lastUpdateTime") for word in ("Resolved", "InProgress")),
    Vendor.SENTINELONE: tuple(map(_sentinelone, ("resolved", "unresolved"))),
    Vendor.CARBON_BLACK_CLOUD: tuple(map(_cloud, ("CLOSED", "OPEN"))),
    Vendor.CARBON_BLACK_EDR: (
        _plain("status", "Resolved", "resolved_time"),
        lambda row, _: row.update(status="Unresolved", resolved_time=None),
    ),
    Vendor.CORTEX_XDR: tuple(map(_cortex, ("STATUS_060_RESOLVED_FALSE_POSITIVE", "STATUS_020_UNDER_INVESTIGATION"))),
}


class Console:
    """One alert at a vendor's twin, the feed that reads it, and the people who close it."""

    def __init__(self, rig, *, begun):
        self.rig = rig
        published(rig, SAMPLES[rig.vendor])
        (self.row,) = rig.simulation.world.tenant(rig.tenant).alerts
        feed = dataclasses.replace(feed_of(rig), now=lambda: begun)
        self.services = some_services(readers=FORMATS, feeds={("acme", rig.vendor): feed})
        self.now = CAME

    def poll(self):
        """How many events were accepted."""
        self.services.clock.advance(MINUTE)
        report = read_feed(self.services, "acme", self.rig.vendor)
        assert (report.error, report.refused) == ("", ())
        self.services = dataclasses.replace(self.services, feeds={("acme", self.rig.vendor): feed_of(self.rig)})
        return report.accepted

    def change(self, how):
        self.now += MINUTE
        with self.rig.simulation.world.tenant(self.rig.tenant).lock:
            how(self.row, self.now)

    def events(self):
        ledger = self.services.ledger
        (known,) = ledger.threats("acme", since=datetime(2000, 1, 1, tzinfo=UTC), limit=10)
        return ledger.events([f"acme:{line.row}" for line in ledger.threat("acme", known.id).timeline])


@pytest.fixture(params=list(ADAPTERS))
def rig(request):
    with RIGS[request.param](**({"config": {"scope": "tenant"}} if request.param is Vendor.SENTINELONE else {})) as found:
        yield found


def test_what_is_closed_at_its_vendor_closes_its_threat_and_what_is_reopened_is_acted_on_anew(rig):
    console = Console(rig, begun=CAME - MINUTE)
    close, reopen = CLOSED_AND_REOPENED[rig.vendor]
    assert (console.poll(), console.poll()) == (1, 0)
    for how in (close, reopen, close):
        console.change(how)
        assert (console.poll(), console.poll()) == (1, 0)
    found = console.events()
    assert [event.type for event in found] == ["threat_published", "threat_closed"] * 2
    assert len({event.id for event in found}) == len(found)
    assert [len(event.endpoints) for event in found[::2]] == [1, 1]


def test_an_alert_that_was_closed_before_it_was_ever_read_is_never_acted_on(rig):
    console = Console(rig, begun=CAME - MINUTE)
    console.change(CLOSED_AND_REOPENED[rig.vendor][0])
    assert console.poll() == 1
    assert [event.type for event in console.events()] == ["threat_closed"]


def test_an_old_alert_that_is_closed_and_reopened_after_polling_began_is_told_only(rig):
    console = Console(rig, begun=CAME + MINUTE / 2)
    close, reopen = CLOSED_AND_REOPENED[rig.vendor]
    for how in (close, reopen):
        console.change(how)
        assert console.poll() == 1
    closed, published_anew = console.events()
    assert closed.type == "threat_closed"
    assert published_anew.told_only.startswith("created before polling began")


def test_an_alert_of_long_ago_that_people_close_is_found_by_the_time_of_the_closing():
    for vendor in (Vendor.CARBON_BLACK_CLOUD, Vendor.CARBON_BLACK_EDR):
        with RIGS[vendor]() as rig:
            console = Console(rig, begun=CAME + timedelta(days=2))
            assert console.poll() == 0
            console.now = CAME + timedelta(days=2)
            console.change(CLOSED_AND_REOPENED[vendor][0])
            assert console.poll() == 1
            assert [event.type for event in console.events()] == ["threat_closed"]
