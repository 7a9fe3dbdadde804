"""`arctl up`: one machine for real customers, with its state in AR_HOME."""

from __future__ import annotations

import os
import time

import click

from ..bootstrap import build
from ..settings import load_settings
from .connection import home, leave_word
from .machine import set_up
from .output import say
from .processes import Interrupted, interruptible


@click.command()
def up() -> None:
    """Run Redis, the workers, beat and Flower for the customers in AR_HOME/customers, until Ctrl-C.

    Redis's data stay in AR_HOME/redis and the logs in AR_HOME/log. What dies is started again. With AR_FSYNC=always
    Redis writes every acknowledged event to the disk before it answers.

    Example: AR_HOME=/srv/ar arctl up
    """
    settings = load_settings(os.environ)
    build(settings)
    say(f"customers: {', '.join(settings.customers) or f'none yet, add {settings.system.customers_folder}/NAME.toml'}")
    with interruptible():
        try:
            _run()
        except Interrupted:
            say("stopped")


def _run() -> None:
    """Until Ctrl-C."""
    machine = set_up(home(), {})
    word = leave_word(machine.redis.url, machine.flower_url)
    try:
        machine.start()
        say(f"running: Flower at {machine.flower_url}, logs in {home() / 'log'}; Ctrl-C ends it")
        while True:
            for name in machine.crew.mend():
                say(f"{name} had died and was started again: see {home() / 'log' / name}.log", err=True)
            if not machine.redis.is_alive:
                say("Redis had died and was started again; what it acknowledged is on the disk", err=True)
                machine.redis.start()
            time.sleep(0.5)
    finally:
        word.unlink(missing_ok=True)
        machine.stop()
