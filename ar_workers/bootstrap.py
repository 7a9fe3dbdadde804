"""Settings become Services: the only module that knows every part."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from .audit.chain import ChainFolder
from .audit.door import DoorBook, door_of
from .audit.files import CHAINS, DOOR
from .audit.witness import SyslogWitness
from .celery import CeleryDoorbell, celery_at, workers_seen
from .channels.templating import Templates, check_templates
from .domain.capabilities import Capabilities, Capability
from .domain.errors import InvalidSettings, LedgerUnavailable
from .edr import ADAPTERS
from .edr.gated import Gated
from .feeds import redcanary
from .feeds.gated import GatedFeed
from .feeds.walk import OVERLAP
from .ledger.checkup import checkup, is_swept
from .ledger.clients import PATIENCE, connect
from .ledger.noted import NAME as PAUSED
from .ledger.redis import RedisLedger
from .ledger.trail import RedisTrail
from .lists import NAME, Shelf
from .pipeline.heartbeat import Heartbeat
from .pipeline.limits import declare_limits
from .pipeline.services import Record, Services
from .posture import broker_checks, celery_checks, refuse_unsafe, release_checks
from .receivers import TRE_RECEIVERS, configured
from .seals import Seals, seals_of
from .seals.folder import FolderKeyring
from .seals.people import NAME as PEOPLE
from .seals.people import PeopleFile, own_key
from .settings import load_settings, load_system
from .settings.watching import look
from .sources import FORMATS
from .transport import set_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .domain.checkups import Check
    from .domain.endpoints import Vendor
    from .edr.base import EDRAdapter
    from .ports import EDR, Channel, Door, Doorbell, Feed, Ledger
    from .settings import Settings, System

Part = TypeVar("Part")
_log = logging.getLogger(__name__)
#: Seconds between two looks at the files, and after one that found a problem.
LOOK_EVERY, LOOK_AGAIN_AFTER = 3.0, 30.0
#: A file that was written so many seconds ago is whole; by a clock that is not ours, if two looks find the same.
SETTLED = 2.0
Files = frozenset[tuple[str, tuple[int, ...]]]


class SystemClock:
    """`ports.Clock` by this machine's clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


class Parts:
    """What was made of which configuration, so that what has not changed is not made anew: it keeps its sessions and tokens."""

    def __init__(self, before: Parts | None = None) -> None:
        self._before = before.made if before else {}
        self.made: dict[tuple[str, ...], tuple[Any, Any]] = {}

    def part(self, key: tuple[str, ...], config: Any, make: Callable[[], Part]) -> Part:
        """The part that was made before, if its configuration is the same; otherwise a new one."""
        known, part = self._before.get(key, (None, None))
        self.made[key] = config, part if known == config else make()
        found: Part = self.made[key][1]
        return found


def build(
    settings: Settings, parts: Parts | None = None, before: Services | None = None, *, before_work: Callable[[], None] = lambda: None
) -> Services:
    """Every part, wired. Raises InvalidSettings with all that the adapters and channels find wrong.

    With the services of `before` only what customers' files say is another, and of that only what is not among the parts.
    `before_work` is asked before the ledger is first worked with.
    """
    problems: list[str] = []
    parts = parts or Parts()
    ledger, record = (before.ledger, before.record) if before else _kept(settings.system, before_work)
    files: dict[str, Any] = {
        "policies": {name: customer.policy for name, customer in settings.customers.items()},
        "edrs": _edrs(settings, ledger, problems, parts),
        "feeds": _feeds(settings, ledger, problems, parts),
        "channels": channels_of(settings, problems, parts),
    }
    if problems:
        raise InvalidSettings(problems)
    return replace(before, **files) if before else _services(settings.system, ledger, record, files)


def _kept(system: System, before_work: Callable[[], None]) -> tuple[Ledger, Record]:
    """The ledger, and what stands outside Redis of it."""
    seals, door = _seals(system), DoorBook(system.audit_folder / DOOR)
    client = connect(system.redis_url)
    ledger = RedisLedger(client, seals=seals, door=door, notes_pauses_in=system.home / PAUSED, before_work=before_work)
    witness = SyslogWitness(system.audit_syslog, ca_file=system.ca_file) if system.audit_syslog else None
    return ledger, Record(RedisTrail(ledger), ChainFolder(system.audit_folder / CHAINS, seals), door, witness)


def _seals(system: System) -> Seals:
    if system.unsealed == "allow":
        _log.warning("AR_UNSEALED=allow: what has no seal is acted on, and whoever may write to Redis can write such: unset it soon")
    keyring = FolderKeyring(system.keys or system.home / "keys", makes_keys=system.keys is None)
    people = PeopleFile(system.people or system.home / PEOPLE, own_key(os.environ))
    return Seals(keyring, people=people, allows_unsealed=system.unsealed == "allow")


def _services(system: System, ledger: Ledger, record: Record | None, files: dict[str, Any]) -> Services:
    lease = timedelta(seconds=system.lease_seconds)
    return Services(
        ledger=ledger,
        record=record,
        doorbell=CeleryDoorbell(),
        clock=SystemClock(),
        random=random.random,
        capabilities=Capabilities(capability_cells(), {vendor: entry.adapter.hash_types for vendor, entry in ADAPTERS.items()}),
        tre_receivers=TRE_RECEIVERS,
        lease=lease,
        heartbeat=Heartbeat(ledger, lease),
        well_known=Shelf(system.home / NAME),
        compact_after=timedelta(hours=system.compact_hours),
        readers=FORMATS,
        poll_every=timedelta(seconds=system.poll_seconds),
        **files,
    )


def _edrs(settings: Settings, ledger: Ledger, problems: list[str], parts: Parts) -> dict[tuple[str, Vendor], EDR]:
    def gated(customer: str, vendor: Vendor, config: Any) -> EDR:
        return Gated(ADAPTERS[vendor].adapter(config), ledger, customer)

    configs = _configs(settings, problems)
    return {key: parts.part(("edr", *key), config, partial(gated, *key, config)) for key, config in configs.items()}


def adapters(settings: Settings) -> dict[tuple[str, Vendor], EDRAdapter]:
    """Every customer's EDRs without their gates: for a look that must not depend on the ledger. Raises InvalidSettings."""
    problems: list[str] = []
    found = {key: ADAPTERS[key[1]].adapter(config) for key, config in _configs(settings, problems).items()}
    if problems:
        raise InvalidSettings(problems)
    return found


def channels_of(settings: Settings, problems: list[str], parts: Parts | None = None) -> dict[tuple[str, str], Channel]:
    """The channels that are configured, by owner and receiver, in the words of the operator's templates."""
    folder = settings.system.home / "templates"
    problems += check_templates(folder)
    templates = Templates(folder)
    parts = parts or Parts()
    wanted = configured(settings, problems)
    return {key: parts.part(("channel", *key), each, partial(each.make, templates)) for key, each in wanted.items()}


def redis_checks(redis_url: str) -> Iterator[Check]:
    """What the ledger's Redis must be, and a broker beside it."""
    yield from checkup(redis_url)
    yield from broker_checks(redis_url)


def worker_checks(redis_url: str) -> Iterator[Check]:
    """Whether workers take messages, beat rings, and strangers push."""
    celery = celery_at(os.environ.get("AR_BROKER_URL") or redis_url)
    yield from (*celery_checks(), *release_checks())
    yield workers_seen(celery)
    yield is_swept(redis_url)
    yield set_aside(celery.connection_for_read())


def _configs(settings: Settings, problems: list[str]) -> dict[tuple[str, Vendor], Any]:
    found: dict[tuple[str, Vendor], Any] = {}
    for name, customer in settings.customers.items():
        for vendor, options in customer.edrs.items():
            try:
                found[name, vendor] = ADAPTERS[vendor].config(**options)
            except ValidationError as error:
                problems += [f"{name}.toml: edr.{vendor}.{_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]
    return found


def _feeds(settings: Settings, ledger: Ledger, problems: list[str], parts: Parts) -> dict[tuple[str, str], Feed]:
    """The feeds that are polled. What is wrong with an EDR's section was told when its adapter was made."""
    wanted: dict[tuple[str, str], tuple[Callable[..., Feed], Any, timedelta]] = {}
    for name, customer in settings.customers.items():
        for vendor, options in customer.edrs.items():
            with contextlib.suppress(ValidationError):
                entry = ADAPTERS[vendor]
                wanted[name, vendor] = entry.feed, entry.config(**options), customer.polled.get(vendor) or OVERLAP
        if customer.redcanary is not None:
            try:
                config = redcanary.Config(**customer.redcanary)
                wanted[name, redcanary.NAME] = redcanary.RedCanary, config, customer.polled.get(redcanary.NAME) or redcanary.OVERLAP
            except ValidationError as error:
                problems += [f"{name}.toml: redcanary.{_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]

    def gated(customer: str, kind: Callable[..., Feed], config: Any, overlap: timedelta) -> Feed:
        return GatedFeed(kind(config, overlap=overlap), ledger, customer)

    polled = {key: each for key, each in wanted.items() if key[1] in settings.customers[key[0]].polled}
    return {key: parts.part(("feed", *key), each, partial(gated, key[0], *each)) for key, each in polled.items()}


def _where(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "options"


def capability_cells() -> tuple[Capability, ...]:
    """The capability table, read from the adapters' marks."""
    return tuple(cell for entry in ADAPTERS.values() for cell in entry.adapter.capabilities())


def ledger_at(redis_url: str, *, patience: int = PATIENCE, seals: Seals | None = None, door: Door | None = None) -> RedisLedger:
    """The ledger in this Redis, which outlasts that one's restart: see `connect`. By default with the keys and the door of this process."""
    keys = seals or seals_of(os.environ)
    return RedisLedger(connect(redis_url, patience=patience), seals=keys, door=door or door_of(os.environ))


def doorbell_at(redis_url: str) -> Doorbell:
    """A doorbell on this broker."""
    return CeleryDoorbell(celery_at(os.environ.get("AR_BROKER_URL") or redis_url))


class Live:
    """The services by the files as they are: customers' files and secrets are read again when they have changed.

    All or nothing: a new set that has a problem changes nothing. Whoever has the services of before ends with them.
    """

    def __init__(
        self, environ: Mapping[str, str], *, monotonic: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        self._environ, self._monotonic, self._now = environ, monotonic, now
        self._folder = load_system(environ).customers_folder
        self._lock = threading.Lock()
        self._parts = Parts()
        # Looked at before it is read, so that what changes meanwhile is seen by the next look.
        self._known = self._last = look(self._folder, environ).files
        settings = load_settings(environ)
        self._services = build(settings, self._parts, before_work=partial(refuse_unsafe, settings.system))
        self._next_look = monotonic() + LOOK_EVERY
        self._problems: list[str] = []

    def services(self) -> Services:
        """Those of now. Every few seconds one caller looks at the files, while the others go on; after a long rest they wait for it."""
        late = self._monotonic() - self._next_look
        if late >= 0 and self._lock.acquire(blocking=late > LOOK_EVERY):
            try:
                if self._monotonic() >= self._next_look:
                    self._next_look = self._monotonic() + self._look()
            finally:
                self._lock.release()
        return self._services

    def _look(self) -> float:
        """Read what has changed, once nobody writes any more: half a file may be a valid one. How many seconds to leave it alone."""
        found, before = look(self._folder, self._environ), self._last
        self._last = found.files
        if found.files == self._known:
            self._problems = []
        elif found.files == before or self._now() - found.changed_at > SETTLED:
            return self._read_again(found.files)
        return LOOK_EVERY

    def _read_again(self, files: Files) -> float:
        parts = Parts(self._parts)
        try:
            self._check_folder()
            services = build(load_settings(self._environ), parts, self._services)
        except InvalidSettings as error:
            return self._refused(error.problems)
        except Exception as error:  # noqa: BLE001 - whatever it is, work goes on by the files of before
            return self._refused([f"{type(error).__name__}: {error}"])
        before, self._services = self._services, services
        self._parts, self._known, self._problems = parts, files, []
        _log.warning("the customers' files were read again: %s", ", ".join(sorted(services.policies)) or "no customer is left")
        _declare_new_limits(before, services)
        return LOOK_EVERY

    def _check_folder(self) -> None:
        """That it is gone is more likely a mishap than that nobody is a customer any more."""
        if self._services.policies and not self._folder.is_dir():
            raise InvalidSettings([f"{self._folder} is not there: who is no customer any more has no file in it"])

    def _refused(self, problems: list[str]) -> float:
        if problems != self._problems:
            _log.error("the changed settings are wrong, and those of before hold: %s", "; ".join(problems))
        self._problems = problems
        return LOOK_AGAIN_AFTER


def _declare_new_limits(before: Services, now: Services) -> None:
    """Of what was made anew. If the ledger is away the next round of all limits does it."""
    edrs = {key: edr for key, edr in now.edrs.items() if before.edrs.get(key) is not edr}
    feeds = {key: feed for key, feed in now.feeds.items() if before.feeds.get(key) is not feed and key not in now.edrs}
    with contextlib.suppress(LedgerUnavailable):
        declare_limits(replace(now, edrs=edrs, feeds=feeds))


class _Process:
    """The services of this process: those that were wired for it, or those that follow its files."""

    lock = threading.Lock()
    services: Services | None = None
    live: Live | None = None


def services() -> Services:
    """The services of this process, built on first use from its environment."""
    if _Process.services is not None:
        return _Process.services
    if _Process.live is None:
        with _Process.lock:
            _Process.live = _Process.live or Live(os.environ)
    return _Process.live.services()


def use(ready: Services) -> None:
    """Work with these services instead: for tests and benchmarks that wire their own."""
    _Process.services = ready
