"""Who is told, and when: the first route that takes it, quiet hours by the clocks of a zone, and what cannot be."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ar_workers.domain.notifications import Audience, Kind, Receiver, digest_of
from ar_workers.domain.routes import WEEK, Digest, Quiet, Route, Window, problems_of, route
from ar_workers.domain.threats import Severity
from tests.builders import a_delivery, a_notification, a_threat

RECEIVERS = {name: Receiver(name=name, channel="webhook", address=name) for name in ("soc", "oncall", "boss")}
NIGHT = {"zone": "Europe/Berlin", "from": "22:00", "to": "06:30"}
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]

minutes = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
windows = st.builds(
    lambda zone, start, end, days: (zone, start, end, days), st.sampled_from(ZONES), minutes, minutes, st.frozensets(st.sampled_from(WEEK))
).filter(lambda parts: parts[1] != parts[2])
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


def a_route(**changes):
    return Route(**({"kinds": {"remediation_summary"}, "to": ("soc",)} | changes))


def a_summary(**changes):
    return a_notification(**({"audience": Audience.CUSTOMER, "kind": Kind.REMEDIATION_SUMMARY} | changes))


def told(*routes, at=datetime(2026, 11, 25, 12, tzinfo=UTC), **changes):
    return [target.receiver.name for target in route(a_summary(**changes), routes, RECEIVERS, at)]


def test_the_first_route_that_takes_it_wins():
    assert told(a_route(kinds={"unsupported_os"}, to=("boss",)), a_route(to=("oncall",)), a_route()) == ["oncall"]


def test_a_route_that_goes_on_lets_the_next_ones_try():
    assert told(a_route(**{"continue": True}), a_route(to=("oncall", "soc")), a_route(to=("boss",))) == ["soc", "oncall"]


def test_severities_narrow_a_route_and_what_has_none_passes_by():
    high = a_route(severities={"high"})
    assert told(high) == ["soc"]
    assert told(high, threat=a_threat(severity="medium")) == []
    assert told(high, threat=None) == []


@pytest.mark.parametrize(
    ("local", "expected"),
    [("2026-11-25 07:59", []), ("2026-11-25 08:00", ["soc"]), ("2026-11-25 18:00", []), ("2026-11-28 12:00", [])],
)
def test_business_hours_are_those_of_the_zone(local, expected):
    hours = {"zone": "Europe/Berlin", "days": WEEK[:5], "from": "08:00", "to": "18:00"}
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert told(a_route(hours=hours), at=at) == expected


def test_quiet_hours_put_off_and_a_bypass_does_not():
    quiet = a_route(quiet=NIGHT | {"bypass": {"high"}})
    at = datetime(2026, 11, 25, 23, tzinfo=UTC)
    (put_off,) = route(a_summary(threat=a_threat(severity="medium")), [quiet], RECEIVERS, at)
    assert put_off.not_before == datetime(2026, 11, 26, 5, 30, tzinfo=UTC)
    (summary,) = route(a_summary(), [quiet], RECEIVERS, at)
    assert summary.not_before == at


@pytest.mark.parametrize(
    ("at", "end", "expected"),
    [
        ("2026-03-28T23:30+00:00", "02:30", "2026-03-29T01:30+00:00"),  # Berlin shows no 02:30 that night
        ("2026-10-25T00:10+00:00", "02:30", "2026-10-25T00:30+00:00"),  # and this night twice
        ("2026-10-25T01:10+00:00", "02:30", "2026-10-25T01:30+00:00"),
    ],
)
def test_quiet_hours_end_when_clocks_are_changed(at, end, expected):
    window = Window(zone="Europe/Berlin", start=time(22), end=time.fromisoformat(end))
    assert window.ends(datetime.fromisoformat(at)) == datetime.fromisoformat(expected)


@given(windows, instants)
def test_a_window_ends_after_it_holds_and_within_a_day_of_its_clocks(parts, at):
    zone, start, end, days = parts
    window = Window(zone=zone, start=start, end=end, days=days)
    ends = window.ends(at)
    assert not window.holds(ends)
    assert (ends > at) == window.holds(at)
    assert ends - at <= timedelta(hours=50)


@given(windows, instants)
def test_a_window_and_the_rest_of_the_day_never_hold_together(parts, at):
    zone, start, end, _ = parts
    assert Window(zone=zone, start=start, end=end).holds(at) != Window(zone=zone, start=end, end=start).holds(at)


@given(st.lists(st.builds(lambda to, on: (to, on), st.lists(st.sampled_from(sorted(RECEIVERS)), min_size=1), st.booleans())))
def test_nobody_is_told_twice(drawn):
    routes = [a_route(to=tuple(to), goes_on=on, fallback="boss") for to, on in drawn]
    targets = route(a_summary(), routes, RECEIVERS, datetime(2026, 11, 25, tzinfo=UTC))
    names = [target.receiver.name for target in targets]
    assert len(names) == len(set(names))
    assert bool(names) == bool(drawn)
    assert all(target.fallback != target.receiver for target in targets)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kinds": {"threat_published"}}, "threat_published goes to the TREs by the service, which cannot be changed here"),
        ({"kinds": {"coffee"}}, "coffee is not known; routed are remediation_summary, unsupported_os, action_needed"),
        ({"hours": NIGHT | {"zone": "Berlin"}}, "is no IANA time zone"),
        ({"hours": NIGHT | {"zone": "../etc/passwd"}}, "is no IANA time zone"),
        ({"quiet": NIGHT | {"to": "22:00"}}, "two different times"),
        ({"quiet": NIGHT | {"to": "6 am"}}, "must be a time of day such as 08:00"),
        ({"digest": {"more_than": 5, "within": "5s"}}, "must be from 1m to 24h"),
        ({"to": ()}, "at least 1 item"),
    ],
)
def test_a_wrong_route_says_what_is_wrong(wrong, said):
    with pytest.raises(ValidationError, match=said):
        a_route(**wrong)


def test_what_receivers_cannot_do_is_told_with_its_place():
    receivers = RECEIVERS | {"page": Receiver(name="page", channel="pagerduty", address="page")}
    digest = Digest(more_than=5, within="10m")
    routes = [
        a_route(to=("nobody",)),
        a_route(kinds={"unsupported_os"}, to=("page",)),
        a_route(to=("page",), digest=digest),
        a_route(fallback="soc"),
    ]
    assert list(problems_of(routes, receivers)) == [
        "routes.0.to.0: nobody is none of the receivers",
        "routes.1.to.0: page is a pagerduty, which takes threats only: unsupported_os is about none",
        "routes.2.to.0: page is a pagerduty, which groups by threat of its own accord: no digest",
        "routes.3.fallback: soc is told anyway",
    ]


def test_quiet_hours_are_hours():
    assert Quiet(**NIGHT).days == frozenset(WEEK)
    assert a_route(quiet=NIGHT).not_before(a_summary(threat=a_threat(severity=Severity.LOW)), datetime(2026, 11, 25, 12, tzinfo=UTC))


def test_a_digest_counts_and_links():
    deliveries = [a_delivery("webhook", "soc", threat=a_threat(id=f"T-{n}", url=f"https://ar.example/{n}")) for n in range(3)]
    note = digest_of(deliveries).notification
    assert note.headline == "3 more notifications: threat published"
    assert [(label, value.split()[1]) for label, value in note.facts] == [(f"T-{n}", f"https://ar.example/{n}") for n in range(3)]


@pytest.mark.parametrize(("told_alone", "is_taken"), [(0, False), (1, True), (1000, True), (1001, False)])
def test_a_digest_begins_after_one_to_a_thousand(told_alone, is_taken):
    with nullcontext() if is_taken else pytest.raises(ValidationError):
        assert Digest(more_than=told_alone, within="10m").more_than == told_alone


@pytest.mark.parametrize(("within", "is_taken"), [("59s", False), ("60s", True), ("24h", True), ("1441m", False)])
def test_a_digest_is_told_within_a_minute_to_a_day(within, is_taken):
    with nullcontext() if is_taken else pytest.raises(ValidationError):
        assert Digest(more_than=1, within=within)
