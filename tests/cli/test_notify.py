"""`arctl notify test`: a receiver is tried out before it matters, and no secret is shown."""

from __future__ import annotations

import json

import pytest

from ar_workers.simulator import Simulation, World
from tests.cli.test_commands import ended, run

CANARY = "canary-7f3a9"
INBOXES = {
    "slack": {"token": f"xoxb-{CANARY}", "channels": ["CACME1"]},
    "pagerduty": {"routing_key": f"{CANARY}-routing-key-0123456789"},
    "mail": {"user": "ar", "password": CANARY},
}
ACME = """
[receivers.chat]
channel = "slack"
to = "CACME1"
token = "env:ACME_SLACK_TOKEN"
base_url = "env:ACME_SLACK_URL"

[receivers.nowhere]
channel = "slack"
to = "CNOWHERE"
token = "env:ACME_SLACK_TOKEN"
base_url = "env:ACME_SLACK_URL"

[receivers.soc]
channel = "email"
to = "soc@acme.example"

[automations.notify_customer_of_note]
emails = ["it@acme.example"]
"""


@pytest.fixture(scope="module")
def simulation():
    with Simulation(World.from_dict({"tenants": {}, "inboxes": INBOXES})) as found:
        yield found


@pytest.fixture
def inbox(simulation, tmp_path, monkeypatch):
    """Slack and mail that listen, and acme's file that names them; the TREs' own Slack is not set."""
    simulation.journal._entries.clear()
    (tmp_path / "acme.toml").write_text(ACME)
    settings = {
        "AR_CUSTOMERS": tmp_path,
        "AR_HOME": tmp_path,
        "AR_CA_FILE": simulation.ca_pem,
        "AR_SMTP_HOST": "127.0.0.1",
        "AR_SMTP_PORT": simulation.inboxes["mail"].port,
        "AR_SMTP_USER": "ar",
        "AR_SMTP_PASSWORD": CANARY,
        "AR_SMTP_FROM": "tre@ar.example",
        "ACME_SLACK_TOKEN": f"xoxb-{CANARY}",
        "ACME_SLACK_URL": f"{simulation.inboxes['slack'].url}/api/",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    return simulation.journal


def test_a_dry_run_shows_the_payload_and_sends_nothing(inbox):
    shown = run("notify", "test", "--customer", "acme", "--receiver", "chat", "--dry-run")
    assert "[TEST]" in json.loads(shown)["text"]
    assert CANARY not in shown
    assert inbox.messages() == []


@pytest.mark.parametrize(("name", "vendor"), [("chat", "slack"), ("soc", "mail"), ("it@acme.example", "mail")])
def test_a_test_arrives_once_and_says_that_it_is_one(inbox, name, vendor):
    said = run("notify", "test", "--customer", "acme", "--receiver", name)
    assert f" {name}: accepted" in said
    assert CANARY not in said
    (message,) = inbox.messages(vendor=vendor)
    assert "TEST" in str(message["body"])


def test_a_receiver_that_refuses_is_an_exit_status(inbox):
    assert "slack nowhere: permanent (channel_not_found)" in run("notify", "test", "--customer", "acme", "--receiver", "nowhere", status=1)


@pytest.mark.parametrize(
    ("customer", "name", "said"),
    [
        ("acme", "chta", "acme has no receiver chta: did you mean chat? known are chat, it@acme.example, nowhere, soc"),
        ("globex", "chat", "no customer globex: known are acme, tre"),
        ("acmee", "chat", "no customer acmee: did you mean acme? known are acme, tre"),
        ("tre", "slack", "tre: slack is not configured by the operator (AR_SLACK_...)"),
    ],
)
def test_what_is_not_there_is_named(inbox, monkeypatch, capsys, customer, name, said):
    words = ("notify", "test", "--customer", customer, "--receiver", name)
    assert ended(*words, monkeypatch=monkeypatch, capsys=capsys) == (1, f"arctl: {said}")
