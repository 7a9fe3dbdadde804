"""Settings become Services: the only module that knows every part."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .celery import CeleryDoorbell, celery_at, workers_seen
from .channels.templating import Templates, check_templates
from .domain.capabilities import Capabilities, Capability
from .domain.errors import InvalidSettings
from .edr import ADAPTERS
from .edr.gated import Gated
from .feeds import redcanary
from .feeds.gated import GatedFeed
from .feeds.walk import OVERLAP
from .ledger.checkup import checkup, is_swept
from .ledger.clients import PATIENCE, connect
from .ledger.redis import RedisLedger
from .pipeline.heartbeat import Heartbeat
from .pipeline.services import Services
from .receivers import TRE_RECEIVERS, configured
from .settings import load_settings
from .sources import FORMATS
from .transport import set_aside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .domain.checkups import Check
    from .domain.endpoints import Vendor
    from .edr.base import EDRAdapter
    from .ports import EDR, Channel, Doorbell, Feed, Ledger
    from .settings import Settings


class SystemClock:
    """`ports.Clock` by this machine's clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)


def build(settings: Settings) -> Services:
    """Every part, wired. Raises InvalidSettings with all that the adapters and channels find wrong."""
    problems: list[str] = []
    system = settings.system
    ledger = ledger_at(system.redis_url)
    edrs = _edrs(settings, ledger, problems)
    feeds = _feeds(settings, ledger, problems)
    channels = channels_of(settings, problems)
    if problems:
        raise InvalidSettings(problems)
    lease = timedelta(seconds=system.lease_seconds)
    return Services(
        ledger=ledger,
        doorbell=CeleryDoorbell(),
        clock=SystemClock(),
        random=random.random,
        policies={name: customer.policy for name, customer in settings.customers.items()},
        edrs=edrs,
        capabilities=Capabilities(capability_cells(), {vendor: entry.adapter.hash_types for vendor, entry in ADAPTERS.items()}),
        channels=channels,
        tre_receivers=TRE_RECEIVERS,
        lease=lease,
        heartbeat=Heartbeat(ledger, lease),
        compact_after=timedelta(hours=system.compact_hours),
        feeds=feeds,
        readers=FORMATS,
        poll_every=timedelta(seconds=system.poll_seconds),
    )


def _edrs(settings: Settings, ledger: Ledger, problems: list[str]) -> dict[tuple[str, Vendor], EDR]:
    return {key: Gated(adapter, ledger, key[0]) for key, adapter in _adapters(settings, problems).items()}


def adapters(settings: Settings) -> dict[tuple[str, Vendor], EDRAdapter]:
    """Every customer's EDRs without their gates: for a look that must not depend on the ledger. Raises InvalidSettings."""
    problems: list[str] = []
    found = _adapters(settings, problems)
    if problems:
        raise InvalidSettings(problems)
    return found


def channels_of(settings: Settings, problems: list[str]) -> dict[tuple[str, str], Channel]:
    """The channels that are configured, by owner and receiver, in the words of the operator's templates."""
    folder = settings.system.home / "templates"
    problems += check_templates(folder)
    templates = Templates(folder)
    return {key: each.make(templates) for key, each in configured(settings, problems).items()}


def redis_checks(redis_url: str) -> Iterator[Check]:
    """What the ledger's Redis must be."""
    return checkup(redis_url)


def worker_checks(redis_url: str) -> Iterator[Check]:
    """Whether workers take messages, beat rings, and strangers push."""
    celery = celery_at(os.environ.get("AR_BROKER_URL") or redis_url)
    yield workers_seen(celery)
    yield is_swept(redis_url)
    yield set_aside(celery.connection_for_read())


def _adapters(settings: Settings, problems: list[str]) -> dict[tuple[str, Vendor], EDRAdapter]:
    found: dict[tuple[str, Vendor], EDRAdapter] = {}
    for name, customer in settings.customers.items():
        for vendor, options in customer.edrs.items():
            entry = ADAPTERS[vendor]
            try:
                found[name, vendor] = entry.adapter(entry.config(**options))
            except ValidationError as error:
                problems += [f"{name}.toml: edr.{vendor}.{_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]
    return found


def _feeds(settings: Settings, ledger: Ledger, problems: list[str]) -> dict[tuple[str, str], Feed]:
    """The feeds that are polled. What is wrong with an EDR's section was told when its adapter was made."""
    found: dict[tuple[str, str], Feed] = {}
    for name, customer in settings.customers.items():
        for vendor, options in customer.edrs.items():
            with contextlib.suppress(ValidationError):
                entry = ADAPTERS[vendor]
                found[name, vendor] = entry.feed(entry.config(**options), overlap=customer.polled.get(vendor) or OVERLAP)
        if customer.redcanary is not None:
            try:
                config = redcanary.Config(**customer.redcanary)
                found[name, redcanary.NAME] = redcanary.RedCanary(config, overlap=customer.polled.get(redcanary.NAME) or redcanary.OVERLAP)
            except ValidationError as error:
                problems += [f"{name}.toml: redcanary.{_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]
    return {key: GatedFeed(feed, ledger, key[0]) for key, feed in found.items() if key[1] in settings.customers[key[0]].polled}


def _where(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "options"


def capability_cells() -> tuple[Capability, ...]:
    """The capability table, read from the adapters' marks."""
    return tuple(cell for entry in ADAPTERS.values() for cell in entry.adapter.capabilities())


def ledger_at(redis_url: str, *, patience: int = PATIENCE) -> Ledger:
    """The ledger in this Redis, which outlasts that one's restart: see `connect`."""
    return RedisLedger(connect(redis_url, patience=patience))


def doorbell_at(redis_url: str) -> Doorbell:
    """A doorbell on this broker."""
    return CeleryDoorbell(celery_at(os.environ.get("AR_BROKER_URL") or redis_url))


class _Process:
    """The services of this process."""

    lock = threading.Lock()
    services: Services | None = None


def services() -> Services:
    """The services of this process, built on first use from its environment."""
    with _Process.lock:
        if _Process.services is None:
            _Process.services = build(load_settings(os.environ))
        return _Process.services


def use(ready: Services) -> None:
    """Work with these services instead: for tests and benchmarks that wire their own."""
    with _Process.lock:
        _Process.services = ready
