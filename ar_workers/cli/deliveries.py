"""`arctl deliveries`: the log of who was told what, and a person's word on what is in doubt."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from ..bootstrap import doorbell_at
from ..domain.errors import ARError
from ..domain.rows import Refusal
from ..domain.states import State
from .connection import open_ledger, redis_url
from .output import coloured, json_option, moment, print_json, print_table, since_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ..domain.rows import Row
    from ..ports import Ledger

COLUMNS = ("At (UTC)", "Threat", "Id", "What", "State", "Tries", "Why / evidence", "Provider's id")


@click.group(invoke_without_command=True)
@click.option("--threat", help="Only about this threat.")
@click.option("--customer", help="Only this customer.")
@click.option("--state", type=click.Choice([str(state) for state in State]), help="Only this state.")
@since_option
@json_option
@click.pass_context
def deliveries(
    context: click.Context, threat: str | None, customer: str | None, state: str | None, since: datetime, *, as_json: bool
) -> None:
    """List who was told what, and what became of it.

    Example: arctl deliveries --customer acme --state failed
    """
    if context.invoked_subcommand:
        return
    found = [row for row in _told(open_ledger(), threat, customer, since) if state in {None, row.state}]
    if as_json:
        print_json(found)
        return
    print_table("", COLUMNS, map(_line, found))


@deliveries.command()
@click.argument("row_id", metavar="ID")
@click.option("--sent/--resend", "was_sent", default=None, help="It has arrived; or it has not, and is to be sent again.")
def resolve(row_id: str, *, was_sent: bool | None) -> None:
    """Say what became of an unknown delivery, once you have asked its receiver. Your name is recorded.

    Example: arctl deliveries resolve acme:sms:5f1e09c3a7d2b146 --sent
    """
    if was_sent is None:
        message = "say --sent or --resend"
        raise click.UsageError(message)
    answer = open_ledger().resolve(row_id, by=getpass.getuser(), was_sent=was_sent)
    if isinstance(answer, Refusal):
        raise ARError(f"{row_id}: refused: {answer.reason}")
    doorbell_at(redis_url()).ring(answer)
    click.echo(f"{row_id}: {'done' if was_sent else 'to be sent again'}")


def _told(ledger: Ledger, threat: str | None, customer: str | None, since: datetime) -> Iterator[Row]:
    for name in [customer] if customer else ledger.customers():
        records = [ledger.threat(name, threat)] if threat else ledger.threats(name, since=since, limit=100_000)
        for record in records:
            if record:
                yield from (row for row in ledger.rows(name, record.id) if row.kind == "delivery")


def _line(row: Row) -> tuple[str, ...]:
    at = moment(row.settled_at or row.next_attempt_at)
    what = f"{row.verb} {row.subject}"
    return at, row.threat_id, row.id, what, coloured(row.state), str(row.attempts), row.reason or row.evidence, row.reference
