"""Who of a customer's receivers is told, and from when on: its routes, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from .model import Value
from .notifications import Digest, Kind, Notification, Receiver
from .text import Slug
from .threats import Severity

#: What customers are told of. Everything else goes to the TREs by managed automations, and is not routed.
ROUTED = (Kind.REMEDIATION_SUMMARY, Kind.UNSUPPORTED_OS, Kind.ACTION_NEEDED)
#: What one cause has stopped within this time is told as one, behind the first: long enough for a burst, short for who waits.
ONE_CAUSE = Digest(more_than=1, within=timedelta(minutes=2))
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no IANA time zone such as Europe/Berlin") from None
    return name


def _routed(value: object) -> object:
    if value in ROUTED:
        return value
    is_managed = value in set(Kind)
    what = "goes to the TREs by the service, which cannot be changed here" if is_managed else "is not known"
    raise ValueError(f"{value} {what}; routed are {', '.join(ROUTED)}")


def _time_of_day(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError("must be a time of day such as 08:00")
    return value


RoutedKind = Annotated[Kind, BeforeValidator(_routed)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]


class Window(Value):
    """From one time of day until before another, by the clocks of `zone`; past midnight if the end is the earlier one."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    zone: Annotated[str, AfterValidator(_zone)] = Field(description="An IANA time zone such as `Europe/Berlin`.")
    start: TimeOfDay = Field(alias="from", description="When it begins, such as `08:00`.")
    end: TimeOfDay = Field(alias="to", description="When it ends; on the next day if that is the earlier time.")
    days: frozenset[Day] = Field(frozenset(WEEK), description="The days on which it begins.")

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.start == self.end or self.start.tzinfo or self.end.tzinfo:
            raise ValueError("from and to must be two different times of day such as 22:00 and 06:00")
        return self

    def holds(self, at: datetime) -> bool:
        """Whether `at` (aware) falls into it."""
        local = at.astimezone(ZoneInfo(self.zone))
        now, today = local.time(), local.weekday()
        begins = WEEK[today] in self.days and now >= self.start
        if self.start < self.end:
            return begins and now < self.end
        return begins or (WEEK[today - 1] in self.days and now < self.end)

    def ends(self, at: datetime) -> datetime:
        """The first instant from `at` on, UTC, at which it no longer holds."""
        zone = ZoneInfo(self.zone)
        while self.holds(at):
            day = at.astimezone(zone).date()
            # A clock that is put back shows the end twice; one that is put forward may not show it at all.
            shown = (datetime.combine(day + timedelta(days=d), self.end, zone).replace(fold=f) for d in (0, 1) for f in (0, 1))
            at = min(end for end in (each.astimezone(UTC) for each in shown) if end > at)
        return at


class Quiet(Window):
    """When receivers are left in peace: what is told meanwhile waits until the end, but for these severities."""

    bypass: frozenset[Severity] = Field(frozenset(), description="Severities that are told all the same.")


class Route(Value):
    """Which notifications go to which receivers. No `severities`, and no `hours`, is any; `goes_on` tries the next ones, too."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    kinds: Annotated[frozenset[RoutedKind], Field(min_length=1)] = Field(
        description=f"What it takes: {', '.join(f'`{kind}`' for kind in ROUTED)}."
    )
    severities: frozenset[Severity] = Field(frozenset(), description="Of threats of these severities only. Default: any.")
    hours: Window | None = Field(None, description="In this time only; see below. Default: always.")
    quiet: Quiet | None = Field(None, description="What comes in this time is told at its end; see below.")
    to: Annotated[tuple[Slug, ...], Field(min_length=1)] = Field(description="Names of receivers.")
    fallback: Slug | None = Field(
        None, description="The receiver that is told if a delivery fails for good. The failure is shown all the same."
    )
    digest: Digest | None = Field(None, description="What comes after the first ones is told together; see below.")
    goes_on: bool = Field(default=False, alias="continue", description="Whether the next routes are tried as well.")

    def takes(self, notification: Notification, now: datetime) -> bool:
        """Whether the notification goes this way. What is about no threat has no severity."""
        severity = notification.threat and notification.threat.severity
        return (
            notification.kind in self.kinds
            and (not self.severities or severity in self.severities)
            and (self.hours is None or self.hours.holds(now))
        )

    def not_before(self, notification: Notification, now: datetime) -> datetime:
        """When it may be told: now, or when quiet hours end."""
        severity = notification.threat and notification.threat.severity
        if self.quiet is None or severity in self.quiet.bypass:
            return now
        return self.quiet.ends(now)


class Target(Value):
    """One receiver that is told, not before an instant. `fallback` is told if it cannot be."""

    receiver: Receiver
    not_before: datetime
    fallback: Receiver | None = None
    digest: Digest | None = None


def route(notification: Notification, routes: Sequence[Route], receivers: Mapping[str, Receiver], now: datetime) -> tuple[Target, ...]:
    """Who is told: by the first route that takes the notification, and by the next ones as long as these go on.

    A receiver that several of them name is told once, as the first one says.
    """
    found: dict[str, Target] = {}
    for each in routes:
        if not each.takes(notification, now):
            continue
        for name in each.to:
            target = Target(
                receiver=receivers[name],
                not_before=each.not_before(notification, now),
                fallback=receivers[each.fallback] if each.fallback and each.fallback != name else None,
                digest=ONE_CAUSE if notification.common else None if notification.incident else each.digest,
            )
            found.setdefault(name, target)
        if not each.goes_on:
            break
    return tuple(found.values())


def problems_of(routes: Sequence[Route], receivers: Mapping[str, Receiver]) -> Iterator[str]:
    """What routes ask of receivers that these cannot do: `where: what is wrong`."""
    for number, each in enumerate(routes):
        names = [(f"to.{n}", name) for n, name in enumerate(each.to)] + ([("fallback", each.fallback)] if each.fallback else [])
        for key, name in names:
            problem = _problem(each, receivers.get(name))
            if problem:
                yield f"routes.{number}.{key}: {name} {problem}"
        if each.fallback in each.to:
            yield f"routes.{number}.fallback: {each.fallback} is told anyway"


def _problem(route: Route, receiver: Receiver | None) -> str | None:
    if receiver is None:
        return "is none of the receivers"
    if receiver.channel == "pagerduty" and Kind.UNSUPPORTED_OS in route.kinds:
        return "is a pagerduty, which takes threats only: unsupported_os is about none"
    if receiver.channel == "pagerduty" and route.digest:
        return "is a pagerduty, which groups by threat of its own accord: no digest"
    return None
