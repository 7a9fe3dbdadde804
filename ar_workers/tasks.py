"""Every Celery task. A task never decides: it unpacks an id and calls the pipeline."""

from __future__ import annotations

import sys
from typing import Any

from celery import Task
from celery.signals import worker_init

from .bootstrap import services
from .celery import app
from .domain.errors import InvalidSettings
from .pipeline import deliver as delivering
from .pipeline import execute as executing
from .pipeline import recheck as rechecking
from .pipeline import respond as responding
from .pipeline import sweep as sweeping


@worker_init.connect
def refuse_wrong_settings(**_: Any) -> None:
    """A worker whose configuration is wrong does not start."""
    try:
        services()
    except InvalidSettings as error:
        sys.exit(f"the configuration is wrong:\n{error}")


@app.task
def respond(event_ref: str) -> None:
    """Plan an accepted event."""
    responding.respond(services(), event_ref)


@app.task(bind=True)
def isolate(self: Task, action_id: str) -> None:
    """Visit an isolation or a release. Within a canvas, Celery rings what follows."""
    executing.execute(services(), action_id, is_followed=bool(self.request.chain))


@app.task(bind=True)
def act(self: Task, action_id: str) -> None:
    """Visit any other action. Within a canvas, Celery rings what follows."""
    executing.execute(services(), action_id, is_followed=bool(self.request.chain))


@app.task
def deliver(delivery_id: str) -> None:
    """Visit a delivery."""
    delivering.deliver(services(), delivery_id)


@app.task
def sweep() -> None:
    """Ring whatever is due."""
    sweeping.sweep(services())


@app.task
def recheck_unsupported_os() -> None:
    """Look for endpoints that cannot be remediated."""
    rechecking.recheck_unsupported_os(services())
