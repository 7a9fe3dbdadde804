"""`arctl upload-scripts`: only when it is confirmed, only where there is a library, and nothing twice."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ar_workers.cli import arctl
from tests.edr.rigs.defender import CID, defender

DEFENDER = """
[edr.defender]
remediate_groups = ["Remediate"]
base_url = "{url}"
login_url = "{url}"
tenant_id = "{cid}"
client_id = "env:ACME_ID"
client_secret = "env:ACME_SECRET"
"""


@pytest.fixture
def rig(monkeypatch, tmp_path):
    with defender(facts={}) as rig:
        (tmp_path / "acme.toml").write_text(DEFENDER.format(url=rig.server.url, cid=CID))
        for name, value in {"AR_CUSTOMERS": str(tmp_path), "ACME_ID": "the-app", "ACME_SECRET": "canary-secret"}.items():
            monkeypatch.setenv(name, value)
        yield rig


def upload(*words, status=0, customer="acme", feed=None):
    result = CliRunner().invoke(arctl, ["upload-scripts", "--customer", customer, *words], input=feed)
    assert result.exit_code == status, result.output
    return result.output or str(result.exception)


def test_the_scripts_are_uploaded_once(rig):
    assert "uploaded ar_workers.ps1, ar_workers.sh" in upload("--yes")
    assert "has them already" in upload("--yes")
    assert all(check.light != "red" for check in rig.adapter.checkup())


def test_nothing_is_uploaded_without_a_yes(rig):
    upload(feed="n\n", status=1)
    assert [each for each in rig.simulation.journal.requests() if each["method"] == "POST" and "library" in each["path"]] == []


def test_a_customer_without_a_defender_is_refused(rig, tmp_path):
    (tmp_path / "globex.toml").write_text("")
    assert "globex has no Defender" in upload("--yes", customer="globex", status=1)


def test_an_unknown_customer_is_refused_and_the_nearest_is_named(rig):
    assert "no customer acmee: did you mean acme? known are acme" in upload("--yes", customer="acmee", status=1)
