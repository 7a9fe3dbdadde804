"""`arctl undo`: what was done is taken back, as far as each action has an undo; the plan is shown, and asked about once."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from pydantic import ValidationError

from ..bootstrap import build, doorbell_at
from ..domain.errors import ARError
from ..domain.events import UndoRequested
from ..domain.people import Decision
from ..domain.rehearsals import is_rehearsal
from ..domain.undo import judged
from ..pipeline.ingest import ingest
from ..settings import load_settings
from .connection import redis_url
from .deciding import decider
from .names import CUSTOMER, no_such
from .output import json_option, print_json, say
from .threats import the_one
from .undo_plan import documents, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.undo import Verdict
    from ..pipeline.services import Services


class Part(NamedTuple):
    """What is to be undone of one threat."""

    customer: str
    threat: str
    verdicts: tuple[Verdict, ...]

    @property
    def undone(self) -> list[Verdict]:
        """Those that have an undo."""
        return [each for each in self.verdicts if each.undo]


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--threat", help="Everything that was done for this threat.")
@click.option("--customer", type=CUSTOMER, help="Whose threat, if several customers have one of this id.")
@click.option("--reason", default="no reason given", help="Recorded in the timeline, with your name.")
@click.option("--live", is_flag=True, help="Of a customer in dry run: undo it all the same.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and do nothing.")
@json_option
def undo(ids: tuple[str, ...], threat: str | None, customer: str | None, *, as_json: bool, **said: Any) -> None:
    r"""Take back what was done: release, unban and give back, as far as each action has an undo.

    The plan says for each action what its undo is, or why it has none; what stood before us stays, and so does what another open threat
    wants, too, unless you name that very action by its id. Once it is recorded, nothing that was asked for before can come true any more.
    The kill switch lets it through. Exit status 1 if there is nothing to undo, or if you do not say yes.

    \b
    Examples: arctl undo --threat THREAT-1042 --customer acme --reason "false positive"
              arctl undo acme:ban_hash:5f1e09c3a7d2b146 --yes
    """
    if bool(ids) == bool(threat):
        raise click.UsageError("name ids, or give --threat: one of them")
    if ids and customer:
        raise click.UsageError("--customer goes with --threat: an id names its customer")
    if as_json and not (said["yes"] or said["dry_run"]):
        raise click.UsageError("--json goes with --yes or --dry-run: nobody can be asked in between")
    url, by = redis_url(), "" if said["dry_run"] else decider(Decision.UNDO)
    services = build(load_settings({**os.environ, "AR_REDIS_URL": url}))
    parts = _of_threat(services, threat, customer, by) if threat else _of_rows(services, ids, by)
    if not as_json:
        show([each for part in parts for each in part.verdicts])
    if not any(part.undone for part in parts):
        _end(parts, [], as_json=as_json)
        raise ARError("there is nothing to undo")
    if said["dry_run"]:
        _end(parts, [], as_json=as_json)
        return
    if not said["yes"]:
        _ask(sum(len(part.undone) for part in parts))
    events = [_event(part, said["reason"], by, live=said["live"], though_wanted=bool(ids)) for part in parts if part.undone]
    ingest(services.ledger, doorbell_at(url), events, by=by)
    _end(parts, events, as_json=as_json)
    for event in events if not as_json else ():
        _tell(services, event)


def _of_threat(services: Services, threat: str, customer: str | None, by: str) -> list[Part]:
    record = the_one(services.ledger, threat, customer)
    _check(services, record.customer)
    found = [each for each in services.ledger.made(record.customer, record.id) if each.row.kind == "action"]
    return [Part(record.customer, record.id, judged(found, services.capabilities, by=by))]


def _of_rows(services: Services, ids: Sequence[str], by: str) -> list[Part]:
    """A threat's rows together. Raises ARError for an id that is none."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for row_id in ids:
        row = services.ledger.row(row_id)
        if row is None:
            raise ARError(f"{row_id}: no such row: `arctl actions` lists ids")
        _check(services, row.customer)
        wanted.setdefault((row.customer, row.threat_id), []).append(row_id)
    return [_named(services, customer, threat, rows, by) for (customer, threat), rows in wanted.items()]


def _named(services: Services, customer: str, threat: str, row_ids: Sequence[str], by: str) -> Part:
    found = [each for each in services.ledger.made(customer, threat) if each.row.id in row_ids]
    return Part(customer, threat, judged(found, services.capabilities, by=by, though_wanted=True))


def _check(services: Services, customer: str) -> None:
    if customer not in services.policies:
        raise ARError(no_such("customer", customer, services.policies))


def _ask(number: int) -> None:
    """Raises ARError unless somebody says yes."""
    try:
        is_meant = click.confirm(f"Undo {number} action{'s' if number > 1 else ''}?", err=True)
    except click.Abort:
        is_meant = False
    if not is_meant:
        raise ARError("nothing was recorded: nobody said yes; --yes says it beforehand")


def _event(part: Part, reason: str, by: str, *, live: bool, though_wanted: bool) -> UndoRequested:
    """With an id of its own for every call: a person who asks again means it."""
    try:
        return UndoRequested(
            id=f"undo-{uuid.uuid4().hex}",
            customer=part.customer,
            occurred_at=datetime.now(UTC),
            threat_ref=part.threat,
            rows=tuple(each.made.row.id for each in part.undone),
            requested_by=by,
            reason=reason,
            though_wanted=though_wanted,
            for_real=live,
        )
    except ValidationError as error:
        raise ARError(f"{part.threat}: {error.errors()[0]['msg']}") from None


def _end(parts: Sequence[Part], events: Sequence[UndoRequested], *, as_json: bool) -> None:
    if not as_json:
        return
    recorded = [{"event": each.id, "customer": each.customer, "threat": each.threat_ref} for each in events]
    print_json({"plan": documents([each for part in parts for each in part.verdicts]), "recorded": recorded})


def _tell(services: Services, event: UndoRequested) -> None:
    look = f"`arctl threats show {event.threat_ref} --customer {event.customer}` shows what becomes of it"
    if is_rehearsal(event, services.policies[event.customer]):
        say(f"DRY RUN: {event.customer} is in dry run, and nothing is undone; --live undoes it all the same")
        say(f"{event.threat_ref}: dry run of the undo recorded; {look}")
    else:
        say(f"{event.threat_ref}: undo recorded; {look}")
