"""`arctl pause`, `resume` and `pauses`: the kill switch, for everything or for one EDR or verb, of everyone or of a customer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ..domain.errors import ARError
from ..domain.pauses import Pause
from ..domain.people import Decision
from ..domain.text import LONGEST, shortened, spoken
from ..domain.verbs import GIVING_BACK, VERBS
from .connection import open_ledger
from .deciding import decider
from .doorbell import ring_workers
from .endings import end_of, ending
from .names import CUSTOMER, EDR, Names
from .output import json_option, moment, print_json, print_table, say

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ..ports import Ledger
    from .output import Cell

#: How the switch of all customers is shown; no customer has this name.
EVERYONE = "*"


def _scope(edr: str | None, verb: str | None) -> str:
    if edr and verb:
        message = "give --edr or --verb, not both"
        raise click.UsageError(message)
    return f"edr:{edr}" if edr else f"verb:{verb}" if verb else "*"


_customers = click.option(
    "--customer", "customers", type=CUSTOMER, multiple=True, help="This customer; repeat for several. Default: everyone, known or not."
)
_edr = click.option("--edr", type=EDR, help="Only what this EDR is asked for.")


@click.command()
@_customers
@_edr
@click.option(
    "--verb",
    type=Names("verb that can be paused", set(VERBS) - GIVING_BACK),
    help="Only this verb. What only takes back, such as a release, always goes on.",
)
@click.option("--reason", required=True, help="Recorded with your name, and shown with every row that is held.")
@ending
def pause(
    customers: tuple[str, ...], edr: str | None, verb: str | None, reason: str, lasts: timedelta | None, until: datetime | None
) -> None:
    r"""Hold every action that has not begun, from now on. Releases and deliveries go on.

    Without --customer it is one switch for everyone, also for customers that come later. With --for or --until it opens by itself, and
    what it held goes on within a minute. Paused again, the new reason and end take the place of the old ones.

    \b
    Examples: arctl pause --reason "stop everything"
              arctl pause --customer acme --reason "change freeze" --for 2h
              arctl pause --edr defender --reason "maintenance" --until 2027-12-01T06:00+01:00
    """
    why = shortened(reason, LONGEST)
    if not why:
        raise click.BadParameter("say why: it is shown with every row that is held", param_hint="--reason")
    ledger, scope = open_ledger(), _scope(edr, verb)
    end, by = end_of(ledger.now(), lasts, until), decider(Decision.PAUSE)
    for customer in customers or (None,):
        _may_end_then(ledger, customer, scope, end)
        before = ledger.pause(customer, scope, why, by=by, until=end)
        say(f"{_whom(customer)}: paused {scope}{f' until {moment(end)} UTC' if end else ''}")
        if before:
            say(f"{_whom(customer)}: that takes the place of: {before.words(scope, is_everyones=not customer)}")


def _may_end_then(ledger: Ledger, customer: str | None, scope: str, end: datetime | None) -> None:
    """Who lets a switch open sooner than it would have opens it, and must be one who may. Raises NotAllowed."""
    before = ledger.pauses(customer).get(scope)
    if before and not before.has_ended(ledger.now()) and Pause(reason="", until=end).ends_before(before):
        decider(Decision.RESUME)


@click.command()
@_customers
@_edr
@click.option(
    "--verb",
    type=Names("verb that can be paused", set(VERBS) - GIVING_BACK),
    help="Only this verb. What only takes back, such as a release, always goes on.",
)
def resume(customers: tuple[str, ...], edr: str | None, verb: str | None) -> None:
    """Open the switch again, and bring back what it held.

    Your name stands in the timelines of what comes back. Without --customer it opens the switch of everyone; a customer's own stays
    closed. Exit status 1 if a switch that is named is not closed.

    Example: arctl resume --customer acme
    """
    ledger, scope, by = open_ledger(), _scope(edr, verb), decider(Decision.RESUME)
    opened = [_resumed(ledger, customer, scope, by) for customer in customers or (None,)]
    now = ledger.now()
    for customer, switches in _recorded(ledger).items():
        closed = [each for each, pause in switches.items() if not pause.has_ended(now)]
        if closed:
            say(f"still paused: {'everyone' if customer == EVERYONE else customer} ({', '.join(closed)})")
    if not all(opened):
        raise ARError(f"nothing was paused by {scope} there: `arctl pauses` lists the closed switches")


def _resumed(ledger: Ledger, customer: str | None, scope: str, by: str) -> bool:
    """Whether there was anything to open, or to bring back."""
    was_closed = scope in ledger.pauses(customer)
    rings = ledger.resume(customer, scope, by=by)
    ring_workers(rings)
    if was_closed or rings:
        say(f"{_whom(customer)}: resumed {scope}, {len(rings)} actions go on")
    return was_closed or bool(rings)


@click.command()
@json_option
def pauses(*, as_json: bool) -> None:
    """List the closed switches; `*` is everyone.

    With each stand who closed it, since when, until when, why, and how many actions it holds. One that is over holds nothing new,
    and what it still holds goes on within a minute.

    Example: arctl pauses --json
    """
    ledger = open_ledger()
    found, held, now = _recorded(ledger), _held(ledger), ledger.now()
    listed = [(customer, scope, pause) for customer, switches in found.items() for scope, pause in switches.items()]
    if as_json:
        documents: dict[str, dict[str, Any]] = {customer: {} for customer in found}
        for customer, scope, pause in listed:
            documents[customer][scope] = _document(pause, now) | {"held": held[customer, scope]}
        print_json(documents)
        return
    columns = ("Customer", "Scope", "By", "Since (UTC)", "Until (UTC)", "Holds", "Reason")
    print_table("", columns, (_line(*each, held[each[:2]], now) for each in listed), prose="Reason")


def _recorded(ledger: Ledger) -> dict[str, dict[str, Pause]]:
    everyones = ledger.pauses(None)
    theirs = {customer: found for customer in ledger.customers() if (found := ledger.pauses(customer))}
    return ({EVERYONE: everyones} if everyones else {}) | theirs


def _held(ledger: Ledger) -> Counter[tuple[str, str]]:
    """How many rows each switch holds, by whose it is and its scope."""
    held = ((row.customer, row.held_by) for customer in ledger.customers() for row in ledger.held(customer))
    return Counter((EVERYONE if by.startswith("everyone ") else customer, by.removeprefix("everyone ")) for customer, by in held)


def _document(pause: Pause, now: datetime) -> dict[str, Any]:
    left = max(0, round((pause.until - now).total_seconds())) if pause.until else None
    return pause.model_dump(mode="json") | {"seconds_left": left}


def _line(customer: str, scope: str, pause: Pause, held: int, now: datetime) -> tuple[Cell, ...]:
    since = moment(pause.since) or "not recorded"
    by = pause.by and (pause.by if pause.is_signed else f"{pause.by}, not signed")
    return customer, scope, by or "not recorded", since, _until(pause, now), str(held), pause.reason


def _until(pause: Pause, now: datetime) -> str:
    if not pause.until:
        return "somebody opens it"
    return f"{moment(pause.until)} ({'over' if pause.has_ended(now) else f'{spoken(pause.until - now)} left'})"


def _whom(customer: str | None) -> str:
    return customer or "everyone"
