"""`arctl pause`, `resume` and `pauses`: the kill switch, for everything or for one EDR or verb, of everyone or of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..domain.errors import ARError
from ..domain.verbs import GIVING_BACK, VERBS
from .connection import open_ledger
from .doorbell import ring_workers
from .names import CUSTOMER, EDR, VERB, Names
from .output import json_option, print_json, print_table, say

if TYPE_CHECKING:
    from ..ports import Ledger

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
@click.option("--verb", type=Names("verb that can be paused", set(VERBS) - GIVING_BACK), help="Only this verb. A release always goes on.")
@click.option("--reason", required=True, help="Recorded with every row that is held.")
def pause(customers: tuple[str, ...], edr: str | None, verb: str | None, reason: str) -> None:
    r"""Hold every action that has not begun, from now on. Releases and deliveries go on.

    Without --customer it is one switch for everyone, also for customers that come later.

    \b
    Examples: arctl pause --reason "stop everything"
              arctl pause --customer acme --reason "change freeze until 06:00"
    """
    if not reason.strip():
        raise click.BadParameter("say why: it is shown with every row that is held", param_hint="--reason")
    ledger, scope = open_ledger(), _scope(edr, verb)
    for customer in customers or (None,):
        ledger.pause(customer, scope, reason)
        say(f"{_whom(customer)}: paused {scope}")


@click.command()
@_customers
@_edr
@click.option("--verb", type=VERB, help="Only this verb.")
def resume(customers: tuple[str, ...], edr: str | None, verb: str | None) -> None:
    """Open the switch again, and bring back what it held.

    Without --customer it opens the switch of everyone; a customer's own stays closed. Exit status 1 if a switch that is named
    is not closed.

    Example: arctl resume --customer acme
    """
    ledger, scope = open_ledger(), _scope(edr, verb)
    opened = [_resumed(ledger, customer, scope) for customer in customers or (None,)]
    for customer, switches in _closed(ledger).items():
        say(f"still paused: {'everyone' if customer == EVERYONE else customer} ({', '.join(switches)})")
    if not all(opened):
        raise ARError(f"nothing was paused by {scope} there: `arctl pauses` lists the closed switches")


def _resumed(ledger: Ledger, customer: str | None, scope: str) -> bool:
    """Whether there was anything to open, or to bring back."""
    was_closed = scope in ledger.pauses(customer)
    rings = ledger.resume(customer, scope)
    ring_workers(rings)
    if was_closed or rings:
        say(f"{_whom(customer)}: resumed {scope}, {len(rings)} actions go on")
    return was_closed or bool(rings)


@click.command()
@json_option
def pauses(*, as_json: bool) -> None:
    """List the closed switches; `*` is everyone.

    Example: arctl pauses --json
    """
    found = _closed(open_ledger())
    if as_json:
        print_json(found)
        return
    lines = ((customer, scope, reason) for customer, closed in found.items() for scope, reason in closed.items())
    print_table("", ("Customer", "Scope", "Reason"), lines, prose="Reason")


def _closed(ledger: Ledger) -> dict[str, dict[str, str]]:
    everyones = ledger.pauses(None)
    theirs = {customer: closed for customer in ledger.customers() if (closed := ledger.pauses(customer))}
    return ({EVERYONE: everyones} if everyones else {}) | theirs


def _whom(customer: str | None) -> str:
    return customer or "everyone"
