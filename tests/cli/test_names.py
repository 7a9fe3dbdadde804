"""A name that does not exist is refused, with what is near to it; an empty table would look like good news."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ar_workers.cli import arctl
from ar_workers.cli.names import MOST_LISTED, known_customers, no_such
from tests.builders import a_threat_published
from tests.cli.test_commands import ended, ledger, run

__all__ = ["ledger"]


@pytest.fixture
def two(ledger, tmp_path):
    """acme has events, and globex a file that needs a secret which is not there."""
    ledger.accept([a_threat_published()])
    (tmp_path / "customers" / "acme.toml").unlink()
    (tmp_path / "customers" / "globex.toml").write_text('[edr.crowdstrike]\nclient_secret = "env:NOT_SET"\n')
    return ledger


def test_known_are_those_with_a_file_and_those_with_events(two, tmp_path, monkeypatch):
    assert known_customers(two) == ["acme", "globex"]
    monkeypatch.setenv("AR_CUSTOMERS", str(tmp_path / "elsewhere"))
    assert known_customers(two) == ["acme"]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    "words",
    [
        ("actions",),
        ("actions", "requeue", "--failed"),
        ("threats",),
        ("threats", "show", "THREAT-1042"),
        ("summary", "THREAT-1042"),
        ("deliveries",),
    ],
)
def test_an_unknown_customer_is_wrong_usage_and_the_nearest_is_named(words):
    assert "no customer acmee: did you mean acme? known are acme, globex" in run(*words, "--customer", "acmee", status=2)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("words", [("actions",), ("threats",), ("deliveries",)])
def test_an_empty_name_is_not_everyone(words):
    assert "no customer" in run(*words, "--customer", "", status=2)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("words", [("actions",), ("threats",), ("deliveries",)])
def test_a_customer_to_whom_nothing_has_happened_is_known(words):
    run(*words, "--customer", "globex")


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("actions", "--edr", "crowdstrik"), "no EDR crowdstrik: did you mean crowdstrike?"),
        (("actions", "--verb", "isolat"), "no verb isolat: did you mean isolate?"),
        (("actions", "--state", "fialed"), "no state fialed: did you mean failed?"),
        (("deliveries", "--state", "fialed"), "no state fialed: did you mean failed?"),
        (("poll", "--once", "--feed", "redcanry"), "no feed redcanry: did you mean redcanary?"),
    ],
)
def test_another_unknown_name_is_wrong_usage_too(words, said):
    assert said in run(*words, status=2)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("words", [("--threat", "THREAT-9"), ("--threat", "THREAT-9", "--customer", "globex"), ("--threat", "")])
def test_deliveries_of_a_threat_that_does_not_exist_are_refused(words, monkeypatch, capsys):
    found = ended("deliveries", *words, monkeypatch=monkeypatch, capsys=capsys)
    assert found == (1, f"arctl: no threat {words[1]}: `arctl threats` lists what is known")


def test_what_is_known_is_listed_only_so_far():
    said = no_such("customer", "acme7", [f"customer-{number:03}" for number in range(MOST_LISTED + 5)])
    assert said.endswith("customer-019, and 5 more")
    assert "did you mean" not in said


def test_letters_may_be_of_any_case_for_a_name_to_be_near():
    assert no_such("receiver", "oncall", ["OnCall"]) == "no receiver oncall: did you mean OnCall? known are OnCall"


def test_without_redis_a_customers_name_is_not_what_is_wrong(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("AR_REDIS_URL", raising=False)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    assert ended("threats", "--customer", "acme", monkeypatch=monkeypatch, capsys=capsys)[0] == 3


def test_help_needs_no_redis(monkeypatch, tmp_path):
    monkeypatch.delenv("AR_REDIS_URL", raising=False)
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    assert CliRunner().invoke(arctl, ["threats", "--customer", "acme", "--help"]).exit_code == 0
