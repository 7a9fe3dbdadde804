"""`arctl threats`: what was published and what became of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ..domain.errors import ARError
from .connection import open_ledger
from .groups import Listing
from .names import CUSTOMER
from .output import coloured, json_option, moment, print_json, print_table, say, since_option

if TYPE_CHECKING:
    from datetime import datetime

    from ..domain.rows import Row, ThreatRecord
    from ..ports import Ledger
    from .output import Cell


@click.group(cls=Listing, invoke_without_command=True)
@click.option("--customer", type=CUSTOMER, help="Only this customer.")
@since_option
@click.option("--limit", default=50, show_default=True, help="At most so many per customer.")
@json_option
@click.pass_context
def threats(context: click.Context, customer: str | None, since: datetime, limit: int, *, as_json: bool) -> None:
    """List threats, newest first.

    Example: arctl threats --customer acme --since 24h
    """
    if context.invoked_subcommand:
        return
    ledger = open_ledger()
    found = [each for name in _customers(ledger, customer) for each in ledger.threats(name, since=since, limit=limit)]
    if as_json:
        print_json(found)
        return
    columns = ("Threat", "Customer", "Severity", "Classification", "Accepted (UTC)", "Outcomes")
    print_table("", columns, (_line(ledger, each) for each in found))


@threats.command()
@click.argument("threat_id")
@click.option("--customer", type=CUSTOMER, help="Whose threat, if several customers have one of this id.")
@json_option
def show(threat_id: str, customer: str | None, *, as_json: bool) -> None:
    """Show a threat: its actions, deliveries and timeline.

    Example: arctl threats show THREAT-1042
    """
    ledger = open_ledger()
    record = the_one(ledger, threat_id, customer)
    rows = ledger.rows(record.customer, record.id)
    if as_json:
        print_json({"threat": record.model_dump(mode="json"), "rows": [row.model_dump(mode="json") for row in rows]})
        return
    _describe(record)
    print_table("Actions and deliveries", ("Id", "What", "State", "Why / evidence", "EDR's or provider's id"), map(row_line, rows))
    names = {row.id: f"{row.verb} {row.subject}" for row in rows}
    lines = ((moment(entry.at), names.get(entry.row, entry.row), entry.text) for entry in record.timeline)
    print_table("Timeline (UTC)", ("At", "What", "Move"), lines)


def row_line(row: Row) -> tuple[Cell, ...]:
    """A row of the ledger as a line of a table."""
    return row.id, f"{row.verb} {row.subject}", coloured(row.state), row.reason or row.evidence, row.reference


def _describe(record: ThreatRecord) -> None:
    threat = record.threat
    say(f"{record.id} · {record.customer} · accepted {moment(record.accepted_at)} UTC")
    if threat:
        say(f"{threat.severity} · {threat.classification} · {threat.title}")
        say(threat.url)
    if record.closed:
        say(record.closed)


def _line(ledger: Ledger, record: ThreatRecord) -> tuple[Cell, ...]:
    counts = Counter(row.state for row in ledger.rows(record.customer, record.id))
    outcomes = Text(" ").join(Text.assemble(coloured(state), f" {number}") for state, number in sorted(counts.items()))
    threat = record.threat
    severity, classification = (threat.severity, threat.classification) if threat else ("", "(endpoint)")
    return record.id, record.customer, severity, classification, moment(record.accepted_at), outcomes or "not planned yet"


def known_as(ledger: Ledger, threat_id: str, customer: str | None) -> list[ThreatRecord]:
    """Every customer's threat of this id. Raises ARError if there is none."""
    found = [record for name in _customers(ledger, customer) if (record := ledger.threat(name, threat_id))]
    if not found:
        message = f"no threat {threat_id}: `arctl threats` lists what is known"
        raise ARError(message)
    return found


def the_one(ledger: Ledger, threat_id: str, customer: str | None) -> ThreatRecord:
    """The threat of this id. Raises ARError if there is none, or several customers have one."""
    found = known_as(ledger, threat_id, customer)
    if len(found) > 1:
        owners = ", ".join(record.customer for record in found)
        message = f"{threat_id} is known for {owners}: say which with --customer"
        raise ARError(message)
    return found[0]


def _customers(ledger: Ledger, customer: str | None) -> list[str]:
    return [customer] if customer else ledger.customers()
