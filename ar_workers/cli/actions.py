"""`arctl actions`: list what was asked of the EDRs, and bring back what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import click

from ..domain.actions import ACTIONS
from ..domain.channels import ChannelName
from ..domain.claims import Refusal
from ..domain.errors import ARError, NotAllowed
from ..domain.guards import Guard
from ..domain.people import Decision
from ..domain.retries import delivery_life, life_of
from ..domain.states import State
from ..domain.text import LONGEST, shortened
from .connection import open_ledger
from .deciding import approves_alone, decider
from .doorbell import ring_workers
from .groups import Listing, given
from .names import CUSTOMER, EDR, STATE, Names
from .output import json_option, print_json, print_json_list, print_table, say, since_option
from .threats import COLUMNS, WHY, containments, row_document, row_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ..domain.canvas import Ring
    from ..domain.rows import Row
    from ..ports import Ledger

#: The channels' names, for which none of them is imported.
_CHANNELS = get_args(ChannelName)


@dataclass(frozen=True)
class Filter:
    """What a listing is narrowed to; None is anything."""

    since: datetime
    customer: str | None
    state: str | None
    edr: str | None
    verb: str | None

    def rows(self, ledger: Ledger) -> Iterator[Row]:
        """Each matching row once, newest threats first."""
        seen = set()
        for customer in [self.customer] if self.customer else ledger.customers():
            for record in ledger.threats(customer, since=self.since, limit=100_000):
                for row in ledger.rows(customer, record.id):
                    if row.id not in seen and self._matches(row):
                        seen.add(row.id)
                        yield row

    def _matches(self, row: Row) -> bool:
        pairs = ((self.state, row.state), (self.edr, row.edr), (self.verb, row.verb))
        return all(wanted is None or wanted == value for wanted, value in pairs)


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that narrow a listing."""
    for option in (
        since_option,
        click.option("--verb", type=Names("verb", [*ACTIONS, *_CHANNELS]), help="Only this verb or channel."),
        click.option("--edr", type=EDR, help="Only this EDR."),
        click.option("--customer", type=CUSTOMER, help="Only this customer."),
    ):
        command = option(command)
    return command


@click.group(cls=Listing, invoke_without_command=True)
@filters
@click.option("--state", type=STATE, help="Only this state.")
@json_option
@click.pass_context
def actions(context: click.Context, /, *, as_json: bool, **chosen: Any) -> None:
    """List actions and deliveries with their state.

    Example: arctl actions --state failed --customer acme
    """
    if context.invoked_subcommand:
        return
    ledger = open_ledger()
    found = list(Filter(**chosen).rows(ledger))
    shown = containments(ledger, found)
    if as_json:
        print_json_list([row_document(row, shown) for row in found])
        return
    lines = ((row.threat_id, *row_line(row, shown)) for row in found)
    print_table("", ("Threat", *COLUMNS), lines, prose=WHY)


@actions.command()
@click.argument("row_id", metavar="ID")
@click.option("--reason", required=True, help="Why it may wait, or who sees to it; recorded with your name.")
@json_option
def acknowledge(row_id: str, reason: str, *, as_json: bool) -> None:
    """Say that you know of an isolation that is not in effect.

    It ends the reminders, and not the isolation, which goes on; when it is in effect, one message says so. A requeue begins the
    reminders anew. Exit status 1 if it is no isolation, or one that is not open any more.

    Example: arctl actions acknowledge acme:isolate:5f1e09c3a7d2b146 --reason "laptop is in the post, back on Monday"
    """
    why = shortened(reason, LONGEST)
    if not why:
        raise click.BadParameter("must say something", param_hint="--reason")
    by = decider(Decision.ACKNOWLEDGE)
    refusal = open_ledger().acknowledge(row_id, by=by, reason=why)
    if refusal:
        hint = ": `arctl actions` lists ids" if refusal.reason == "no such row" else ""
        raise ARError(f"{row_id}: {refusal.reason}{hint}")
    if as_json:
        print_json({"id": row_id, "result": "acknowledged", "by": by, "reason": why})
        return
    say(f"{row_id}: acknowledged by {by}; the isolation goes on")


@actions.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--failed", is_flag=True, help="Every failed row that the filters leave.")
@filters
@click.option("--dry-run", is_flag=True, help="Say what would be requeued, and do nothing.")
@json_option
@click.pass_context
def requeue(context: click.Context, /, ids: tuple[str, ...], *, failed: bool, dry_run: bool, as_json: bool, **chosen: Any) -> None:
    r"""Bring failed rows back, or let held ones pass their guard.

    The EDR is looked at before anything is asked of it again, so that what has come true meanwhile is not repeated.
    A row in any other state is refused. Exit status 1 if any was, or if there was none to requeue.

    \b
    Examples: arctl actions requeue acme:isolate:5f1e09c3a7d2b146
              arctl actions requeue --failed --customer acme --since 2h --dry-run
    """
    _check_usage(context, ids, chosen, failed=failed)
    ledger = open_ledger()
    row_ids = list(ids) or [row.id for row in Filter(**chosen, state=State.FAILED).rows(ledger)]
    by = "" if dry_run else decider(Decision.REQUEUE)
    answers = [_answer(ledger, row_id, by) for row_id in row_ids]
    if not dry_run:
        ring_workers([ring for _, ring, _ in answers if ring])
    report("would be requeued" if dry_run else "requeued", [(row_id, why) for row_id, _, why in answers], as_json=as_json)
    if not answers and not dry_run:
        raise ARError("nothing was requeued: no failed row is left by these filters")
    if any(refusal for *_, refusal in answers):
        raise click.exceptions.Exit(1)


def _check_usage(context: click.Context, ids: tuple[str, ...], chosen: Mapping[str, Any], *, failed: bool) -> None:
    if bool(ids) == failed:
        message = "name ids, or give --failed (with filters), not both"
        raise click.UsageError(message)
    filtering = [option.opts[0] for name, option in given(context).items() if name in chosen]
    if ids and filtering:
        message = f"{', '.join(filtering)}: filters go with --failed, a row that is named by its id is not filtered"
        raise click.UsageError(message)


def _answer(ledger: Ledger, row_id: str, by: str) -> tuple[str, Ring | None, str]:
    """Without anybody whose word it is, only what would be answered."""
    row = ledger.row(row_id)
    if row is None:
        return row_id, None, "no such row: `arctl actions` lists ids"
    if not by:
        able = row.state in {State.FAILED, State.HELD}
        return row_id, None, "" if able else f"is {row.state}: only failed or held rows can be requeued"
    no = _no_approval(row, by)
    if no:
        return row_id, None, no
    life = life_of(row.verb) if row.kind == "action" else delivery_life(row.verb)
    answer = ledger.requeue(row_id, by=by, life=life)
    return (row_id, None, answer.reason) if isinstance(answer, Refusal) else (row_id, answer, "")


def _no_approval(row: Row, by: str) -> str:
    """To bring back what a guard holds is to approve it: who may not do that is told so, and the other rows go on."""
    if row.held_by not in set(Guard):
        return ""
    try:
        decider(Decision.APPROVE)
    except NotAllowed as error:
        return str(error)
    return approves_alone(row, by)


def report(done: str, answers: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    """What became of each row that a person named: `done`, or why it was refused."""
    if as_json:
        print_json({"rows": [{"id": name, "result": "refused" if why else done, "reason": why} for name, why in answers]})
        return
    for name, why in answers:
        say(f"{name}: {f'refused: {why}' if why else done}")
    say(f"{sum(not why for _, why in answers)} {done}, {sum(bool(why) for _, why in answers)} refused")
