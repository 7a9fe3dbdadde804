"""Settings become Services: the only module that knows every part."""

from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from .celery import CeleryDoorbell, celery_at
from .channels import CHANNELS
from .domain.capabilities import Capabilities, Capability
from .domain.errors import InvalidSettings
from .domain.notifications import TRE, Receiver
from .edr import ADAPTERS
from .edr.gated import Gated
from .ledger.clients import connect
from .ledger.redis import RedisLedger
from .pipeline.heartbeat import Heartbeat
from .pipeline.services import Services
from .settings import load_settings

if TYPE_CHECKING:
    from .domain.endpoints import Vendor
    from .ports import EDR, Channel, Doorbell, Ledger
    from .settings import Settings, System


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
    )


def _edrs(settings: Settings, ledger: Ledger, problems: list[str]) -> dict[tuple[str, Vendor], EDR]:
    found: dict[tuple[str, Vendor], EDR] = {}
    for name, customer in settings.customers.items():
        for vendor, options in customer.edrs.items():
            entry = ADAPTERS[vendor]
            try:
                found[name, vendor] = Gated(entry.adapter(entry.config(**options)), ledger, name)
            except ValidationError as error:
                problems += [f"{name}.toml: edr.{vendor}.{_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]
    return found


#: Who is told by the managed automations.
TRE_RECEIVERS = tuple(Receiver(name=name, channel=name, address=TRE) for name in ("slack", "pagerduty"))


def channels_of(settings: Settings, problems: list[str]) -> dict[tuple[str, str], Channel]:
    """The channels that are configured, by owner and receiver; one that is not makes its deliveries fail, and nothing else."""
    operators = _operators_channels(settings.system, problems)
    found = {(TRE, each.name): operators[each.channel] for each in TRE_RECEIVERS if each.channel in operators}
    for name, customer in settings.customers.items():
        if "email" in operators:
            found[name, ""] = operators["email"]
        for receiver in customer.policy.receivers.values():
            options = customer.receivers[receiver.name]
            where = f"{name}.toml: receivers.{receiver.name}"
            if receiver.channel == "email":
                problems += [f"{where}.{key}: mail goes through the operator's relay: nothing else can be set" for key in options]
                channel = operators.get("email")
            else:
                channel = _own(receiver, options, where, problems)
            if channel:
                found[name, receiver.name] = channel
    return found


def _own(receiver: Receiver, options: dict[str, Any], where: str, problems: list[str]) -> Channel | None:
    """A channel by a customer's own options. A path would read the worker's files, an address of choice its network."""
    config, channel = CHANNELS[receiver.channel]
    plain: dict[str, Any] = {}
    for key, value in options.items():
        kind = str(config.model_fields[key].annotation) if key in config.model_fields else ""
        if "Path" in kind or (key == "base_url" and not _is_loopback(value)):
            problems.append(f"{where}.{key}: is for the operator to set")
        elif "SecretStr" in kind and not all(isinstance(each, SecretStr) for each in (value if isinstance(value, list) else [value])):
            problems.append(f'{where}.{key}: a secret does not belong in the file; write "env:NAME" and set NAME in the environment')
        else:
            plain[key] = value if "SecretStr" in kind or not isinstance(value, SecretStr) else value.get_secret_value()
    try:
        return channel(config(**plain)) if plain.keys() == options.keys() else None
    except ValidationError as error:
        problems += [f"{where}.{_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]
        return None


def _is_loopback(url: Any) -> bool:
    """Tests and the demo have pretend vendors there."""
    text = url.get_secret_value() if isinstance(url, SecretStr) else str(url)
    return urlsplit(text).hostname in {"127.0.0.1", "localhost"}


def _operators_channels(system: System, problems: list[str]) -> dict[str, Channel]:
    """What the environment sets: the TREs' own, and the relay for everybody's mail."""
    wishes: dict[str, dict[str, Any] | None] = {
        "slack": _given(token=system.slack_token, channel=system.slack_channel, base_url=system.slack_url),
        "pagerduty": _given(routing_key=system.pagerduty_routing_key, base_url=system.pagerduty_url, ca_file=system.ca_file),
        "email": _given(
            host=system.smtp_host or None,
            port=system.smtp_port,
            sender=system.smtp_from,
            user=system.smtp_user,
            password=system.smtp_password,
            security=system.smtp_security,
            ca_file=system.ca_file,
        ),
    }
    found: dict[str, Channel] = {}
    for name, options in wishes.items():
        if options is None:
            continue
        config, channel = CHANNELS[name]
        try:
            found[name] = channel(config(**options))
        except ValidationError as error:
            problems += [f"AR_{name.upper()}: {_where(each)}: {each['msg']}" for each in error.errors(include_input=False)]
    return found


def _given(**options: Any) -> dict[str, Any] | None:
    """The options, or None if the first one, which every configured channel has, is not set."""
    return options if next(iter(options.values())) else None


def _where(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "options"


def capability_cells() -> tuple[Capability, ...]:
    """The capability table, read from the adapters' marks."""
    return tuple(cell for entry in ADAPTERS.values() for cell in entry.adapter.capabilities())


def ledger_at(redis_url: str) -> Ledger:
    """The ledger in this Redis."""
    return RedisLedger(connect(redis_url))


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
