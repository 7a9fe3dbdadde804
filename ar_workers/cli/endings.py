"""Until when something holds, as people type it: for so long, or until an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
from pydantic import TypeAdapter

from ..domain.instants import LATEST
from ..domain.text import Span
from .output import moment

if TYPE_CHECKING:
    from collections.abc import Callable

_SPAN: TypeAdapter[timedelta] = TypeAdapter(Span)
_WITHOUT = "leave it out to have no end"


class HowLong(click.ParamType[timedelta]):
    """`90s`, `45m`, `2h`, and as customers' files take a duration else."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """More than nothing."""
        try:
            span = _SPAN.validate_python(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no duration: say it as 90s, 45m or 2h", param, ctx)
        if span <= timedelta(0):
            self.fail(f"{value!r} would be over at once: say it as 90s, 45m or 2h, or {_WITHOUT}", param, ctx)
        return span


class UntilWhen(click.ParamType[datetime]):
    """An instant with its offset from UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Aware."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant: say it as 2026-12-01T06:00+01:00", param, ctx)
        if not at.tzinfo:
            self.fail(f"{value!r} has no offset from UTC: say it as 2026-12-01T06:00+01:00, or with Z for UTC", param, ctx)
        return at


def ending(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options; `end_of` reads them."""
    for option in (
        click.option("--until", type=UntilWhen(), help="Until then, such as 2026-12-01T06:00+01:00."),
        click.option("--for", "lasts", type=HowLong(), help="For so long, such as 90s, 45m or 2h. Default: until somebody opens it."),
    ):
        command = option(command)
    return command


def end_of(now: datetime, lasts: timedelta | None, until: datetime | None) -> datetime | None:
    """In UTC. Raises UsageError for what is not to come, and for what is so far away that it was not meant."""
    if lasts and until:
        message = "give --for or --until, not both: each says when it ends"
        raise click.UsageError(message)
    if lasts and lasts >= LATEST - now:
        raise click.BadParameter(f"ends after {LATEST.year}: say it shorter, or {_WITHOUT}", param_hint="--for")
    if until and until <= now:
        fix = f"it is {moment(now)} UTC: say a time to come, or {_WITHOUT}"
        raise click.BadParameter(f"{until.isoformat()} has passed, {fix}", param_hint="--until")
    if until and until >= LATEST:
        raise click.BadParameter(f"ends after {LATEST.year}: say it sooner, or {_WITHOUT}", param_hint="--until")
    return now + lasts if lasts else until.astimezone(UTC) if until else None
