"""`arctl pause`, `resume` and `pauses`: the kill switch, for everything or for one EDR or verb of a customer."""

from __future__ import annotations

import click

from ..bootstrap import doorbell_at
from ..domain.actions import ACTIONS
from .connection import open_ledger, redis_url
from .output import json_option, print_json, print_table


def _scope(edr: str | None, verb: str | None) -> str:
    if edr and verb:
        message = "give --edr or --verb, not both"
        raise click.UsageError(message)
    return f"edr:{edr}" if edr else f"verb:{verb}" if verb else "*"


_customers = click.option("--customer", "customers", multiple=True, help="This customer; repeat for several. Default: every known one.")
_edr = click.option("--edr", help="Only what this EDR is asked for.")
_verb = click.option("--verb", type=click.Choice(sorted(ACTIONS)), help="Only this verb.")


@click.command()
@_customers
@_edr
@_verb
@click.option("--reason", required=True, help="Recorded with every row that is held.")
def pause(customers: tuple[str, ...], edr: str | None, verb: str | None, reason: str) -> None:
    """Hold every action that has not begun, from now on. Deliveries go on.

    Example: arctl pause --customer acme --reason "change freeze until 06:00"
    """
    ledger, scope = open_ledger(), _scope(edr, verb)
    for customer in customers or ledger.customers():
        ledger.pause(customer, scope, reason)
        click.echo(f"{customer}: paused {scope}")


@click.command()
@_customers
@_edr
@_verb
def resume(customers: tuple[str, ...], edr: str | None, verb: str | None) -> None:
    """Open the switch again, and bring back what it held.

    Example: arctl resume --customer acme
    """
    ledger, scope = open_ledger(), _scope(edr, verb)
    for customer in customers or ledger.customers():
        rings = ledger.resume(customer, scope)
        doorbell_at(redis_url()).ring(rings)
        click.echo(f"{customer}: resumed {scope}, {len(rings)} actions go on")


@click.command()
@json_option
def pauses(*, as_json: bool) -> None:
    """List the closed switches."""
    ledger = open_ledger()
    found = {customer: closed for customer in ledger.customers() if (closed := ledger.pauses(customer))}
    if as_json:
        print_json(found)
        return
    lines = ((customer, scope, reason) for customer, closed in found.items() for scope, reason in closed.items())
    print_table("", ("Customer", "Scope", "Reason"), lines)
