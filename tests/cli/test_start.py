"""`arctl` starts quickly: a command imports what it needs, and a page of help next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ar_workers.channels import CHANNELS
from ar_workers.cli import COMMANDS, arctl
from ar_workers.cli.actions import actions
from ar_workers.domain.actions import ACTIONS
from tests.cli.test_commands import ledger, run

__all__ = ["ledger"]

ROOT = Path(__file__).parents[2]
TELLS_WHAT_IT_HAS_LOADED = """
import atexit, sys
atexit.register(lambda: print("loaded", *sys.modules, file=sys.stderr))
"""
HEAVY = {"celery", "flower", "jinja2", "kombu", "pagerduty", "requests", "slack_sdk", "tornado", "twilio"}


def loaded(program, *words):
    result = subprocess.run(
        [sys.executable, "-c", TELLS_WHAT_IT_HAS_LOADED + program, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(result.stderr.rpartition("loaded ")[2].split())


def loaded_by_arctl(*words):
    return loaded("from ar_workers.cli import main; main()", *words)


def strangers(modules):
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


def command(name):
    return arctl.get_command(click.Context(arctl), name)


def test_a_page_of_help_loads_no_more_than_this():
    found = loaded_by_arctl("--help") - loaded("")
    assert strangers(found) == {"ar_workers", "click"}
    ours = {name for name in found if name.startswith("ar_workers")}
    assert ours == {"ar_workers", "ar_workers.cli", "ar_workers.domain", "ar_workers.domain.errors"}


@pytest.mark.parametrize("words", ["threats", "threats --customer acme", "actions", "deliveries", "pauses"])
def test_a_command_that_only_looks_loads_no_celery_and_nothing_that_speaks_to_vendors(ledger, words):
    ledger.pause("acme", "*", "so that it is known")
    assert strangers(loaded_by_arctl(*words.split())) & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says(name):
    assert command(name).name == name
    assert command(name).get_short_help_str(1000) == arctl.commands[name].get_short_help_str(1000)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_list_is_shown_as_click_shows_the_commands_themselves(width):
    eager = click.Group("arctl", commands={name: command(name) for name in COMMANDS})
    shown, expected = (CliRunner().invoke(each, ["--help"], terminal_width=width).output for each in (arctl, eager))
    assert expected.partition("Commands:")[2].rstrip() in shown


def test_who_mistypes_a_command_is_told_what_is_near():
    assert "Did you mean 'threats'?" in run("thrats", status=2)


def test_a_listing_knows_the_verbs_and_channels_that_there_are():
    verb = next(each for each in actions.params if each.name == "verb")
    assert set(verb.type.choices) == {*map(str, ACTIONS), *CHANNELS}
