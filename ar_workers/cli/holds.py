"""`arctl holds`, `approve` and `deny`: what guards hold, shown together, and a person's word on one, on a threat's or on all of a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..domain.claims import Refusal
from ..domain.errors import ARError
from ..domain.guards import Guard
from ..domain.people import Decision
from ..domain.retries import life_of
from ..domain.text import LONGEST, shortened
from .actions import report
from .connection import open_ledger
from .deciding import approves_alone, decider
from .doorbell import ring_workers
from .hold_ends import first_ends
from .names import CUSTOMER, Names
from .output import json_option, moment, print_json_list, print_table, progress, say
from .threats import known_as

if TYPE_CHECKING:
    from ..domain.canvas import Ring
    from ..domain.rows import Row
    from ..ports import Ledger
    from .output import Cell

GUARD = Names("guard", Guard)
_customer = click.option("--customer", type=CUSTOMER, help="Only this customer.")


@click.command()
@_customer
@click.option("--hold", type=GUARD, help="Only what this guard holds.")
@json_option
def holds(customer: str | None, hold: str | None, *, as_json: bool) -> None:
    """List what is held for a person, the oldest first, and how it goes on.

    What the kill switch holds is listed, too; it comes back by `arctl resume`, or when the pause ends.

    Example: arctl holds --customer acme --hold blast_radius
    """
    found = _held(open_ledger(), customer, hold)
    if as_json:
        print_json_list([row.model_dump(mode="json") for row in found])
        return
    if not found:
        say("nothing is held")
        return
    print_table("", ("Id", "Customer", "Threat", "What", "Held by", "Why", "Held since (UTC)"), map(_line, found), prose="Why")
    ends = first_ends(found)
    for (name, guard), number in sorted(Counter((row.customer, row.held_by) for row in found).items()):
        say(f"{name}: {number} held by {guard}; {_way_on(name, guard)}{ends.get((name, guard), '')}")


def _line(row: Row) -> tuple[Cell, ...]:
    what = f"{'DRY RUN: ' if row.is_dry else ''}{row.verb} {row.subject}"
    return row.id, row.customer, row.threat_id, what, row.held_by, row.reason, moment(row.held_at or row.created_at)


def _way_on(customer: str, held_by: str) -> str:
    if held_by in set(Guard):
        return f"`arctl approve --hold {held_by} --customer {customer} --reason WHY` lets all pass, `arctl deny` calls them off"
    return "`arctl pauses` shows the switch, `arctl resume` brings them back"


def _chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """What names the rows, and why."""
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Say which, and do nothing."),
        click.option("--reason", required=True, help="Recorded in each timeline, with your name."),
        _customer,
        click.option("--hold", type=GUARD, help="Everything that this guard holds of the customer."),
        click.option("--threat", help="Everything that guards hold of this threat."),
        click.argument("ids", nargs=-1, metavar="[ID]..."),
    ):
        command = option(command)
    return command


@click.command()
@_chosen
def approve(**chosen: Any) -> None:
    r"""Let held actions pass the guard that holds them, and no other.

    The EDR is looked at before it is asked. Exit status 1 if a row was refused, or if nothing is held that you name.

    \b
    Examples: arctl approve acme:isolate:5f1e09c3a7d2b146 --reason "confirmed with the customer"
              arctl approve --hold blast_radius --customer acme --reason "outbreak confirmed by phone"
    """

    def word(ledger: Ledger, row_id: str, by: str, why: str) -> list[Ring] | Refusal:
        row = ledger.row(row_id)
        if row is None:
            return Refusal(reason="no such row: `arctl holds` lists ids")
        alone = approves_alone(row, by)
        if alone:
            return Refusal(reason=alone)
        answer = ledger.approve(row_id, by=by, reason=why, life=life_of(row.verb))
        return answer if isinstance(answer, Refusal) else [answer]

    _decide("approved", Decision.APPROVE, word, **chosen)


@click.command()
@_chosen
def deny(**chosen: Any) -> None:
    r"""Call held actions off. They end as cancelled, with your name and reason.

    Exit status 1 if a row was refused, or if nothing is held that you name.

    \b
    Examples: arctl deny acme:isolate:5f1e09c3a7d2b146 --reason "false positive"
              arctl deny --threat THREAT-1042 --reason "authorized testing"
    """

    def word(ledger: Ledger, row_id: str, by: str, why: str) -> list[Ring] | Refusal:
        return ledger.deny(row_id, by=by, reason=why)

    _decide("denied", Decision.DENY, word, **chosen)


#: One person's word on one row.
Say = Callable[["Ledger", str, str, str], "list[Ring] | Refusal"]


def _decide(done: str, decision: Decision, word: Say, *, reason: str, dry_run: bool, as_json: bool, **which: Any) -> None:
    why, ledger = shortened(reason, LONGEST), open_ledger()
    if not why:
        raise click.BadParameter("must say something", param_hint="--reason")
    row_ids = _meant(ledger, **which)
    if not row_ids:
        raise ARError("nothing of that is held by a guard: `arctl holds` lists what is")
    if dry_run:
        report(f"would be {done}", [(row_id, "") for row_id in row_ids], as_json=as_json)
        return
    by = decider(decision)
    answers: list[tuple[str, str]] = []
    rings: list[Ring] = []
    try:
        for row_id in progress(row_ids, total=len(row_ids), label=done):
            answer = word(ledger, row_id, by, why)
            answers.append((row_id, answer.reason if isinstance(answer, Refusal) else ""))
            rings += [] if isinstance(answer, Refusal) else answer
    finally:
        ring_workers(rings)  # together, and after Ctrl-C what was decided until then
    report(done, answers, as_json=as_json)
    if any(refusal for _, refusal in answers):
        raise click.exceptions.Exit(1)


def _held(ledger: Ledger, customer: str | None, hold: str | None) -> list[Row]:
    rows = (row for name in ([customer] if customer else ledger.customers()) for row in ledger.held(name))
    return [row for row in rows if hold in {None, row.held_by}]


def _meant(ledger: Ledger, *, ids: tuple[str, ...], threat: str | None, hold: str | None, customer: str | None) -> list[str]:
    """Those that are named by their ids, or all that a guard holds of a threat or at all: the kill switch is nobody's to approve."""
    if (bool(ids), bool(threat), bool(hold)).count(True) != 1:
        raise click.UsageError("name ids, or give --threat, or --hold: one of them")
    if hold and not customer:
        raise click.UsageError("--hold goes with --customer: nobody decides in one word what is held of all of them")
    if ids and customer:
        raise click.UsageError("--customer goes with --threat or --hold: an id names its customer")
    if ids:
        return list(dict.fromkeys(ids))
    wanted = {(each.customer, each.id) for each in known_as(ledger, threat, customer)} if threat else None
    rows = (row for row in _held(ledger, customer, hold) if row.held_by in set(Guard))
    return [row.id for row in rows if wanted is None or (row.customer, row.threat_id) in wanted]
