"""`arctl up`: one machine for real customers, with its state in AR_HOME."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from ..bootstrap import build
from ..domain.seals import Role
from ..posture import refuse_unsafe
from ..seals import seals_of
from ..settings import load_settings, load_system
from .beginning import name_the_first
from .connection import home, leave_word, redis_url, without_login
from .lock import locked
from .machine import set_up
from .modes import unsaid_mode
from .output import say
from .processes import Interrupted, interruptible

if TYPE_CHECKING:
    from .machine import Machine


@click.command()
@click.option("--insecure-dev", is_flag=True, help="Start on an unsafe set-up as well: for a machine of development only.")
def up(*, insecure_dev: bool) -> None:
    """Run Redis, the workers, beat and Flower for the customers in AR_HOME/customers, until Ctrl-C.

    Redis's data stay in AR_HOME/redis and the logs in AR_HOME/log; nobody but you reaches either. What dies is started
    again. With AR_FSYNC=always Redis writes every acknowledged event to the disk before it answers. With AR_REDIS_URL
    no Redis is started, and that one is used.

    A set-up that is unsafe is refused, with the reason and the fix: a Redis beyond this machine without a password, TLS or a
    user of its own, one that evicts or does not append, a secret that others may read or that is empty.

    Example: AR_HOME=/srv/ar arctl up
    """
    if insecure_dev:
        os.environ["AR_INSECURE_DEV"] = "1"
    settings = load_settings(os.environ)
    build(settings)
    name_the_first(os.environ)
    seals_of(os.environ).check(Role.DOOR, Role.RESPOND, Role.AUDIT)
    say(f"customers: {', '.join(settings.customers) or f'none yet, add {settings.system.customers_folder}/NAME.toml'}")
    for name, customer in settings.customers.items():
        if customer.policy.is_dry:
            say(f"{name} is in dry run: nothing is asked of its EDRs until `arctl customers live {name}`")
        elif not customer.says_mode:
            say("warning: " + ": ".join(unsaid_mode(settings, name)), err=True)
    with locked(home(), "arctl up"), interruptible():
        try:
            _run()
        except Interrupted:
            say("stopped")


def _run() -> None:
    """Until Ctrl-C."""
    named = os.environ.get("AR_REDIS_URL") or None
    if named:
        redis_url()
    machine = set_up(home(), os.environ, redis_url=named)
    word = leave_word(home(), machine.redis_url, machine.flower_url)
    if machine.redis:
        say(f"started {machine.redis.binary} at {without_login(machine.redis_url)}")
    else:
        say(f"the ledger is AR_REDIS_URL, {without_login(machine.redis_url)}: no Redis is started")
    try:
        refuse_unsafe(load_system({**os.environ, "AR_REDIS_URL": machine.redis_url}))
        machine.start()
        say(f"running: {machine.flower}, logs in {home() / 'log'}; Ctrl-C ends it")
        while True:
            _mend(machine)
            time.sleep(0.5)
    finally:
        word.unlink(missing_ok=True)
        machine.stop()


def _mend(machine: Machine) -> None:
    for name in machine.crew.mend():
        say(f"{name} had died and was started again: see {home() / 'log' / name}.log", err=True)
    if machine.redis and not machine.redis.is_alive:
        say("Redis had died and was started again; what it acknowledged is on the disk", err=True)
        machine.redis.start()
