"""Whether this process may start here. What is unsafe is refused, with the reason and the fix, unless the machine is one of development."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from .celery import app
from .domain.checkups import Check, Light, ok, red
from .domain.errors import InvalidSettings, LedgerUnavailable
from .ledger.posture import posture
from .ledger.servers import version as numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from celery import Celery

    from .settings import System

_log = logging.getLogger(__name__)
#: The first releases in which workers take messages again after a lost connection.
OLDEST = {"celery": (5, 7), "kombu": (5, 7)}
_JSON = frozenset({"json", "application/json"})
#: How a person lets it start all the same.
WAY_OUT = "only on a machine of development: `arctl up --insecure-dev`, or AR_INSECURE_DEV=1 for any process"


def refuse_unsafe(system: System, *more: Check, celery: Celery = app) -> None:
    """Raises InvalidSettings with all that is unsafe; and LedgerUnavailable where it cannot be told, because a server is away.

    What was looked at elsewhere comes as `more`. With AR_INSECURE_DEV it is only warned of.
    """
    found, away = [*more, *celery_checks(celery), *release_checks(), *broker_checks(system.redis_url)], None
    try:
        found.extend(posture(system.redis_url, "AR_REDIS_URL", is_ledger=True))
    except LedgerUnavailable as error:
        away = error
    unsafe = [_line(check) for check in found if check.light is Light.RED]
    for line in (_line(check) for check in found if check.light is Light.WARN):
        _log.warning("%s", line)
    if unsafe and not system.insecure_dev:
        raise InvalidSettings([*unsafe, WAY_OUT])
    for line in unsafe:
        _log.warning("unsafe, and let pass by AR_INSECURE_DEV: %s", line)
    if away:
        raise away


def flower_checks(logins: Iterable[str]) -> Iterator[Check]:
    """Of Flower's `basic_auth`."""
    known = [login.partition(":") for login in logins]
    if known and all(user and password for user, _, password in known):
        yield ok("flower", "asks for a password")
    else:
        yield red("flower", "shows customers and endpoints to everybody: it has no password", "set FLOWER_BASIC_AUTH=user:password")


def release_checks(installed: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Of what is installed."""
    for name, oldest in OLDEST.items():
        found = installed[name] if installed else version(name)
        if numbers(found) < oldest:
            wanted = ".".join(map(str, oldest))
            yield red(name, f"{found} loses its connection and takes no more messages", f"install {name} {wanted} or newer")


def broker_checks(ledger_url: str) -> Iterator[Check]:
    """Of a broker beside the ledger. One that is away keeps nobody: what it is rung for, the sweep rings again."""
    broker = os.environ.get("AR_BROKER_URL")
    if broker and broker != ledger_url:
        with suppress(LedgerUnavailable):
            yield from posture(broker, "AR_BROKER_URL", is_ledger=False)


def celery_checks(celery: Celery = app) -> Iterator[Check]:
    """What it takes for a message."""
    conf: Any = celery.conf
    spoken = {*conf.accept_content, *(conf.result_accept_content or ())}
    spoken |= {conf.task_serializer, conf.result_serializer, conf.event_serializer}
    others = sorted(map(str, spoken - _JSON))
    if others:
        yield red("celery", f"speaks {', '.join(others)}: a message could be code", 'set `accept_content = ["json"]`, and no serializer')


def _line(check: Check) -> str:
    return f"{check.name}: {check.detail}" + (f": {check.fix}" if check.fix else "")
