"""`arctl threats`: what was published and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from ..domain.errors import ARError
from ..domain.summaries import how_dry
from ..domain.verbs import CONTAINMENT
from .audit import differences
from .connection import open_ledger
from .groups import Listing
from .names import CUSTOMER
from .output import coloured, json_option, moment, print_json, print_table, say, since_option
from .undo_plan import documents, of_closed
from .undo_plan import show as show_undo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..domain.dry_runs import DryRun
    from ..domain.rows import Containment, Row, ThreatRecord
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
    print_table("", columns, (_line(ledger, each) for each in found), prose="Classification")


@threats.command()
@click.argument("threat_id")
@click.option("--customer", type=CUSTOMER, help="Whose threat, if several customers have one of this id.")
@json_option
def show(threat_id: str, customer: str | None, *, as_json: bool) -> None:
    """Show a threat: its actions, deliveries and timeline; and of one that is closed what of it can be undone.

    Where the record is on this machine (see `arctl audit`), what is otherwise in the timeline than there is told.

    Example: arctl threats show THREAT-1042
    """
    ledger = open_ledger()
    record = the_one(ledger, threat_id, customer)
    rows = ledger.rows(record.customer, record.id)
    shown, undo = containments(ledger, rows), of_closed(ledger, record) if record.closed else []
    odd = differences(ledger, record.customer, record.id)
    if as_json:
        plain = [row_document(row, shown) for row in rows]
        found = None if odd is None else [each.what for each in odd]
        whole = {"threat": record.model_dump(mode="json"), "dry_run": str(how_dry(rows)), "rows": plain, "undo": documents(undo)}
        print_json(whole | {"differs_from_record": found})
        return
    _describe(record, how_dry(rows))
    lines = (row_line(row, shown) for row in rows)
    print_table("Actions and deliveries", COLUMNS, lines, prose=WHY)
    if undo:
        show_undo(undo)
        say(f"`arctl undo --threat {record.id} --customer {record.customer}` undoes it")
    names = {row.id: f"{row.verb} {row.subject}" for row in rows}
    lines = ((moment(entry.at), names.get(entry.row, entry.row), entry.text) for entry in record.timeline)
    print_table("Timeline (UTC)", ("At", "What", "Move"), lines, prose="Move")
    for each in odd or ():
        say(f"NOT AS RECORDED: {each.what}", err=True)


#: Of `row_line`.
WHY = "Why / evidence"
COLUMNS = ("Id", "What", "State", WHY, "EDR's or provider's id")
#: By customer and lane, what the EDR last showed of the endpoint.
Shown = Mapping[tuple[str, str], "Containment"]


def containments(ledger: Ledger, rows: Sequence[Row]) -> Shown:
    """Of the endpoints that these rows move, from the endpoints' own records: another threat may have moved them since."""
    lanes: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.verb in CONTAINMENT and row.lane:
            lanes.setdefault(row.customer, {})[row.lane] = None
    found = ((customer, ledger.containments(customer, list(theirs))) for customer, theirs in lanes.items())
    return {(customer, lane): each for customer, shown in found for lane, each in shown.items()}


def _endpoint_of(row: Row, shown: Shown) -> Containment | None:
    return shown.get((row.customer, row.lane)) if row.lane and row.verb in CONTAINMENT else None


def row_line(row: Row, shown: Shown = MappingProxyType({})) -> tuple[Cell, ...]:
    """A row of the ledger as a line of a table."""
    why = [row.reason or row.evidence]
    if row.acknowledged_by:
        why.append(f"acknowledged by {row.acknowledged_by} at {moment(row.acknowledged_at)}: {row.acknowledged_why}")
    endpoint = _endpoint_of(row, shown)
    if endpoint:
        why.append(endpoint.words)
    is_rehearsed = row.is_dry and row.kind == "action"  # a message about one says so in its subject
    state = Text.assemble(coloured(row.state), " DRY RUN") if is_rehearsed else coloured(row.state)
    return row.id, f"{row.verb} {row.subject}", state, "; ".join(filter(None, why)), row.reference


def row_document(row: Row, shown: Shown) -> dict[str, Any]:
    """A row as JSON. Of what moves an endpoint `endpoint` is what the EDR last showed of it, and when; null if it was never asked."""
    document = row.model_dump(mode="json")
    if row.verb in CONTAINMENT and row.lane:
        endpoint = _endpoint_of(row, shown)
        document["endpoint"] = {"is_isolated": endpoint.is_isolated, "last_asked": endpoint.at.isoformat()} if endpoint else None
    return document


def _describe(record: ThreatRecord, dry_run: DryRun) -> None:
    threat = record.threat
    say(f"{dry_run.mark}{record.id} · {record.customer} · accepted {moment(record.accepted_at)} UTC")
    if threat:
        say(f"{threat.severity} · {threat.classification} · {threat.title}")
        say(threat.url)
    if record.closed:
        say(record.closed)


def _line(ledger: Ledger, record: ThreatRecord) -> tuple[Cell, ...]:
    rows = ledger.rows(record.customer, record.id)
    counts = Counter("would" if row.would else str(row.state) for row in rows)
    outcomes = Text(" ").join(Text.assemble(coloured(state), f" {number}") for state, number in sorted(counts.items()))
    outcomes = Text.assemble(how_dry(rows).mark, outcomes)
    threat = record.threat
    severity, classification = (threat.severity, threat.classification) if threat else ("", _dossier(record.id))
    return record.id, record.customer, severity, classification, moment(record.accepted_at), outcomes or "not planned yet"


def _dossier(name: str) -> str:
    """What hangs on no threat hangs on an endpoint, or on a matter of the service's own."""
    return "(endpoint)" if name.startswith("endpoint-") else "(service)"


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
