"""Every Celery task. A task never decides: it unpacks an id and calls the pipeline."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from celery import Task
from celery.signals import beat_init, worker_init

from .bootstrap import services
from .celery import app
from .domain.canvas import Queue
from .domain.endpoints import Vendor
from .domain.errors import IncompatibleLedger, InvalidSettings, KeyUnusable, LedgerUnavailable
from .domain.seals import Role
from .pipeline import auditing, orphans
from .pipeline import compaction as compacting
from .pipeline import deliver as delivering
from .pipeline import execute as executing
from .pipeline import holds as holding
from .pipeline import limits as limiting
from .pipeline import pauses as pausing
from .pipeline import poll as polling
from .pipeline import recheck as rechecking
from .pipeline import reminders as reminding
from .pipeline import respond as responding
from .pipeline import sweep as sweeping
from .posture import refuse_unsafe
from .settings import load_system

_log = logging.getLogger(__name__)


#: What who works on a queue seals. Whoever only carries out seals nothing, and needs no private key.
SEALS: dict[str, Role] = {Queue.RESPOND: Role.RESPOND, Queue.POLLING: Role.DOOR, Queue.HOUSEKEEPING: Role.AUDIT}


@worker_init.connect
def refuse_wrong_settings(sender: Any = None, **_: Any) -> None:
    """A worker whose configuration is wrong or unsafe, that lacks a key or does not know the ledger, does not start. One waits for a Redis
    that is away.
    """
    queues = sender.app.amqp.queues.consume_from if sender else ()
    try:
        services().ledger.check_seals(*(role for queue, role in SEALS.items() if queue in queues))
        services().ledger.check_format()
    except KeyUnusable as error:
        sys.exit(str(error))
    except InvalidSettings as error:
        sys.exit(f"the configuration is wrong:\n{error}")
    except IncompatibleLedger as error:
        sys.exit(str(error))
    except LedgerUnavailable:
        _log.warning("Redis does not answer yet: the format of its ledger is looked at with the first claim")


@beat_init.connect
def refuse_unsafe_set_up(**_: Any) -> None:
    """Beat needs no ledger: for a Redis that is away it waits as well."""
    try:
        refuse_unsafe(load_system(os.environ, strictly=True))
    except InvalidSettings as error:
        sys.exit(f"the configuration is wrong:\n{error}")
    except LedgerUnavailable:
        _log.warning("Redis does not answer yet")


@worker_init.connect
def read_lists(**_: Any) -> None:
    """Now, and not while the first ban waits for them."""
    services().well_known()


@app.task
def respond(*event_refs: str) -> None:
    """Plan accepted events."""
    responding.respond(services(), event_refs)


@app.task(bind=True)
def isolate(self: Task, *action_ids: str) -> None:
    """Visit an isolation or a release. Within a canvas, Celery rings what follows."""
    executing.execute(services(), action_ids, is_followed=bool(self.request.chain))


@app.task(bind=True)
def act(self: Task, *action_ids: str) -> None:
    """Visit any other action. Within a canvas, Celery rings what follows."""
    executing.execute(services(), action_ids, is_followed=bool(self.request.chain))


@app.task
def deliver(*delivery_ids: str) -> None:
    """Visit deliveries."""
    delivering.deliver(services(), delivery_ids)


@app.task
def sweep() -> None:
    """Ring whatever is due."""
    sweeping.sweep(services())


@app.task
def declare_limits() -> None:
    """Keep the ledger's budgets as the adapters declare them, and who has a file."""
    limiting.declare_limits(services())
    orphans.forget(services())


@app.task
def compact() -> None:
    """Pack what has been settled for long."""
    compacting.compact(services())


@app.task
def chain() -> None:
    """Put into the record what has moved."""
    auditing.chain(services())


@app.task
def look_at_ledger() -> None:
    """Compare what stands in the ledger with the record."""
    auditing.look(services())


@app.task
def remind() -> None:
    """Write down which isolations are overdue."""
    reminding.remind(services())


@app.task
def mind_holds() -> None:
    """Remind of what guards hold, and call off what nobody decided in time."""
    holding.mind_holds(services())


@app.task
def end_pauses() -> None:
    """Bring back what pauses held that have ended."""
    pausing.end_pauses(services())


@app.task
def poll() -> None:
    """Ring for each feed apart: a vendor that hangs keeps no other waiting."""
    for customer, feed in polling.whose_turn_it_is(services()):
        poll_feed.apply_async((customer, feed), queue=Queue.POLLING)


@app.task
def poll_feed(customer: str, feed: str) -> None:
    """Read one feed of one customer."""
    polling.poll(services(), customer, feed)


@app.task
def recheck_unsupported_os() -> None:
    """Ring for each EDR apart, likewise."""
    for customer, vendor in rechecking.whose_turn_it_is(services()):
        recheck_edr.apply_async((customer, vendor), queue=Queue.POLLING)


@app.task
def recheck_edr(customer: str, vendor: str) -> None:
    """Look for endpoints of one EDR that cannot be remediated."""
    rechecking.recheck_unsupported_os(services(), customer, Vendor(vendor))
