"""`arctl doctor`: whether everything that actions and notifications need is there, by looking alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..bootstrap import adapters, ledger_at, redis_checks, worker_checks
from ..domain.checkups import Check, Light, ok, red, warn
from ..domain.errors import ARError, LedgerUnavailable
from ..domain.notifications import TRE
from ..pipeline.checkup import groups_found, records_kept, work_of_nobody
from ..receivers import receiver_checks
from ..seals.checkup import keys_checks
from ..settings import load_settings
from .connection import known_url
from .modes import unsaid_mode
from .names import no_such
from .output import json_option, print_json, print_table, say, shown

if TYPE_CHECKING:
    from ..edr.base import EDRAdapter
    from ..settings import Settings
    from .output import Cell

_COLOURS = {Light.OK: "green", Light.WARN: "yellow", Light.RED: "bold red"}
#: So much of the patience may go by until endpoints are no longer counted.
_COUNTING = 0.5


@dataclass
class Job:
    """One thing that is looked at beside the others. `found` grows while it runs."""

    customer: str
    what: str
    look: Callable[[], Iterable[Check]]
    found: list[Check] = field(default_factory=list)
    thread: threading.Thread = field(init=False)

    def start(self) -> None:
        """Begin; a thread that hangs does not keep the command from ending."""
        self.thread = threading.Thread(target=self._run, name=f"doctor {self.customer} {self.what}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for check in self.look():
                self.found.append(check)
        except Exception as error:  # noqa: BLE001 - one that fails never stops the others
            self.found.append(red("checkup", f"failed: {type(error).__name__}"))

    def checks(self, until: float) -> list[Check]:
        """What was found by then, and that there was no more time, if so."""
        self.thread.join(max(until - time.monotonic(), 0.0))
        late = [red("deadline", "no answer in time: what would follow was not looked at")] if self.thread.is_alive() else []
        return [*self.found, *late]


@click.command()
@click.option("--customer", help="Only this customer. Default: all, the notification channels, Redis and the workers.")
@click.option("--patience", default=60.0, show_default=True, type=click.FloatRange(min=0.1), help="Seconds until no more is waited for.")
@json_option
def doctor(customer: str | None, patience: float, *, as_json: bool) -> None:
    """Look whether credentials, permissions, groups, clocks, channels, Redis and workers are as they must be.

    It only reads: nothing is asked of an endpoint, nobody is told anything. What only acting would show is a warning
    that says so. Exit status 1 if anything is red.

    Example: arctl doctor --customer acme
    """
    settings = load_settings(os.environ)
    if customer is not None and customer not in settings.customers:
        raise ARError(no_such("customer", customer, settings.customers))
    jobs = [
        *_edr_jobs(settings, customer, patience),
        *_receiver_jobs(settings, customer),
        *(Job(name, "settings", partial(_mode_look, settings, name)) for name in settings.customers if customer in {None, name}),
        Job(customer or "", "ledger", partial(_what_waits, settings, customer)),
    ]
    jobs += [] if customer else _system_jobs(settings)
    for job in jobs:
        job.start()
    until = time.monotonic() + patience
    found = [(job, check) for job in jobs for check in job.checks(until)]
    _show(found, as_json=as_json)
    if any(check.light is Light.RED for _, check in found):
        raise click.exceptions.Exit(1)


def _mode_look(settings: Settings, name: str) -> Iterator[Check]:
    """Whether its EDRs are asked for anything, and whether its file says so."""
    customer = settings.customers[name]
    if customer.policy.is_dry:
        yield ok("mode", f"dry_run: nothing is asked of its EDRs until `arctl customers live {name}`")
    elif customer.says_mode:
        yield ok("mode", "live")
    else:
        yield warn("mode", *unsaid_mode(settings, name))


def _edr_jobs(settings: Settings, only: str | None, patience: float) -> Iterator[Job]:
    for (customer, vendor), adapter in adapters(settings).items():
        if only in {None, customer}:
            groups = settings.customers[customer].policy.remediate_groups.get(vendor, frozenset())
            yield Job(customer, vendor, partial(_edr_look, adapter, groups, patience))


def _edr_look(adapter: EDRAdapter, groups: frozenset[str], patience: float) -> Iterator[Check]:
    """Without good credentials the groups are not asked for: refusals lock accounts out."""
    late_at = time.monotonic() + patience * _COUNTING
    is_in = True
    for check in adapter.checkup():
        is_in = is_in and not (check.name == "credentials" and check.light is Light.RED)
        yield check
    if is_in:
        yield from groups_found(adapter, groups, is_late=lambda: time.monotonic() > late_at)


def _system_jobs(settings: Settings) -> Iterator[Job]:
    if settings.system.insecure_dev:
        yield Job("", "settings", lambda: [warn("AR_INSECURE_DEV", "processes start on an unsafe set-up", "unset it, but for development")])
    yield Job("", "keys", partial(keys_checks, os.environ))
    url = known_url() or settings.system.redis_url
    yield Job("", "redis", partial(redis_checks, url))
    yield Job("", "workers", partial(worker_checks, url))


def _what_waits(settings: Settings, only: str | None) -> Iterator[Check]:
    """For a person, or for the file of a customer that has none."""
    try:
        ledger = ledger_at(known_url() or settings.system.redis_url, patience=1)
        strangers = [] if only else sorted({*ledger.customers()} - {*settings.customers})
        for customer in [only] if only else [*settings.customers, *strangers]:
            yield from records_kept(ledger, customer)
        for customer in strangers:
            yield from work_of_nobody(ledger, customer, str(settings.system.customers_folder / f"{customer}.toml"))
    except LedgerUnavailable as error:
        yield warn("ledger", f"what waits for a person cannot be told: {error}")


def _receiver_jobs(settings: Settings, only: str | None) -> Iterator[Job]:
    for (owner, name), look in receiver_checks(settings, only).items():
        yield Job("" if owner == TRE else owner, f"receiver {name}", look)


def _show(found: list[tuple[Job, Check]], *, as_json: bool) -> None:
    counts = {str(light): sum(check.light is light for _, check in found) for light in Light}
    if as_json:
        print_json({"checks": [_plain(job, check) for job, check in found], "counts": counts})
        return
    columns = ("Customer", "Where", "What", "State", "Seen, and what to do")
    print_table("", columns, (_line(*each) for each in found), prose=columns[-1])
    say(", ".join(f"{number} {light}" for light, number in counts.items()))


def _line(job: Job, check: Check) -> tuple[Cell, ...]:
    seen = "\n".join(part for part in (check.detail, check.fix and f"-> {check.fix}") if part)
    return job.customer or "(service)", job.what, check.name, shown(check.light, _COLOURS[check.light]), seen


def _plain(job: Job, check: Check) -> dict[str, Any]:
    return {"customer": job.customer or None, "where": job.what, **check.model_dump(mode="json")}
