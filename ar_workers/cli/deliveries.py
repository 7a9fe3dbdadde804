"""`arctl deliveries`: the log of who was told what, and a person's word on what is in doubt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ..domain.claims import Refusal
from ..domain.errors import ARError
from ..domain.people import Decision
from .connection import open_ledger
from .deciding import decider
from .doorbell import ring_workers
from .groups import Listing, given
from .names import CUSTOMER, STATE
from .output import coloured, json_option, moment, print_json, print_table, say, since_option
from .threats import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.rows import Row, ThreatRecord
    from ..ports import Ledger
    from .output import Cell

COLUMNS = ("At (UTC)", "Threat", "Id", "What", "State", "Tries", "Why / evidence", "Provider's id")


@click.group(cls=Listing, invoke_without_command=True)
@click.option("--threat", help="Only about this threat.")
@click.option("--customer", type=CUSTOMER, help="Only this customer.")
@click.option("--state", type=STATE, help="Only this state.")
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
    # The whole log of a threat that is named, unless somebody narrows that, too.
    since = since if threat is None or "since" in given(context) else datetime.min.replace(tzinfo=UTC)
    found = [row for row in _told(open_ledger(), threat, customer, since) if state in {None, row.state}]
    if as_json:
        print_json(found)
        return
    print_table("", COLUMNS, map(_line, found), prose="Why / evidence")


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
    answer = open_ledger().resolve(row_id, by=decider(Decision.RESOLVE), was_sent=was_sent)
    if isinstance(answer, Refusal):
        raise ARError(f"{row_id}: refused: {answer.reason}")
    ring_workers(answer)
    say(f"{row_id}: {'done' if was_sent else 'to be sent again'}")


def _told(ledger: Ledger, threat: str | None, customer: str | None, since: datetime) -> Iterator[Row]:
    for record in _recent(ledger, customer, since) if threat is None else known_as(ledger, threat, customer):
        rows = ledger.rows(record.customer, record.id) if record.accepted_at >= since else ()
        yield from (row for row in rows if row.kind == "delivery")


def _recent(ledger: Ledger, customer: str | None, since: datetime) -> Iterator[ThreatRecord]:
    for name in [customer] if customer else ledger.customers():
        yield from ledger.threats(name, since=since, limit=100_000)


def _line(row: Row) -> tuple[Cell, ...]:
    at = moment(row.settled_at or row.next_attempt_at)
    what = f"{row.verb} {row.subject}"
    return at, row.threat_id, row.id, what, coloured(row.state), str(row.attempts), row.reason or row.evidence, row.reference
