"""`arctl customers`: who is in which mode, and the one line that changes it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from ar_workers.cli import arctl
from ar_workers.domain.errors import ARError
from ar_workers.domain.policies import Mode
from ar_workers.settings.modes import mode_in, with_mode

EXAMPLES = Path(__file__).parents[2] / "examples" / "customers"
SECTION = '[edr.crowdstrike]  # the only one\nremediate_groups = ["AR"]\n'


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("AR_CUSTOMERS", str(tmp_path))
    monkeypatch.setenv("AR_HOME", str(tmp_path))
    monkeypatch.delenv("AR_REDIS_URL", raising=False)
    return tmp_path


def run(*words, status=0, answer=None):
    result = CliRunner().invoke(arctl, ["customers", *words], input=answer)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output + str(result.exception or "")


def test_each_customer_is_listed_with_its_mode_and_one_bad_file_costs_only_itself(folder):
    for name, text in {"acme": 'mode = "dry_run"\n', "globex": SECTION, "hooli": "mode = 'live'", "initech": "mode ="}.items():
        (folder / f"{name}.toml").write_text(text)
    found = json.loads(CliRunner().invoke(arctl, ["customers", "--json"]).stdout)
    assert [(each["customer"], each["mode"], each["is_said"]) for each in found] == [
        ("acme", "dry_run", True),
        ("globex", "live", False),
        ("hooli", "live", True),
        ("initech", "", False),
    ]
    shown = run(status=1)
    for words in ("dry_run", "live, as the file says nothing", "is not readable TOML"):
        assert words in shown


def test_no_customer_is_said(folder):
    assert f"add {folder}/NAME.toml" in run()


TEXTS = {
    "said": 'mode = "dry_run"   # why\n' + SECTION,
    "said otherwise": "# head\n'mode'= 'dry_run'\n" + SECTION,
    "not said": "# head\n\n# about the section\n" + SECTION,
    "empty": "",
    "a comment without an end": "# head",
    "windows": 'mode = "dry_run"\r\n[protect]\r\nroles = []\r\n',
    "windows, not said": "# head\r\n[protect]\r\nroles = []\r\n",
    "in a section, too": SECTION + 'mode = "dry_run"\n',
    "in a string": 'x = """\nmode = "dry_run"\n"""\n' + SECTION,
    "commented out": '#mode = "dry_run"\n' + SECTION,
}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_one_line_is_changed_or_inserted_and_all_else_stays(text, mode):
    changed = with_mode(text, mode)
    assert mode_in(changed) is mode
    assert tomllib.loads(changed) == {**tomllib.loads(text), "mode": mode}
    assert with_mode(changed, mode) == changed
    lines, before = changed.splitlines(keepends=True), text.splitlines(keepends=True)
    assert [each for each in before if each.strip() and "mode" not in each and each.strip() != "# head"] == [
        each for each in lines if each.strip() and "mode" not in each and each.strip() != "# head"
    ]
    assert ("\r\n" in changed) == ("\r\n" in text)


def test_comments_stay_on_the_line_and_at_the_head():
    assert with_mode(TEXTS["said"], Mode.LIVE) == 'mode = "live"   # why\n' + SECTION
    assert with_mode(TEXTS["not said"], Mode.LIVE) == '# head\n\n# about the section\nmode = "live"\n\n' + SECTION


def test_a_line_that_cannot_be_told_from_the_rest_is_left_to_a_person():
    with pytest.raises(ARError, match='write mode = "live" at its top'):
        with_mode('mode = """dry_run"""\n', Mode.LIVE)


def test_the_mode_is_changed_in_the_file_and_its_permissions_and_link_stay(folder):
    real = folder / "real"
    real.write_text("# head\n" + SECTION)
    real.chmod(0o640)
    (folder / "acme.toml").symlink_to(real)
    said = run("dry-run", "acme", "--yes")
    assert "acme: live, as the file says nothing -> dry_run" in said
    assert real.read_text() == '# head\nmode = "dry_run"\n\n' + SECTION
    assert real.stat().st_mode & 0o777 == 0o640
    assert (folder / "acme.toml").is_symlink()
    assert json.loads(CliRunner().invoke(arctl, ["customers", "live", "acme", "--yes", "--json"]).stdout) == {
        "customer": "acme", "mode": "live", "was": "dry_run", "file": str(folder / "acme.toml"),
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {"acme.toml", "real"}


def test_it_is_asked_once_and_a_no_changes_nothing(folder):
    path = folder / "acme.toml"
    path.write_text('mode = "dry_run"\n')
    run("live", "acme", answer="n\n", status=1)
    assert path.read_text() == 'mode = "dry_run"\n'
    assert "EDRs are asked" in run("live", "acme", answer="y\n")
    assert path.read_text() == 'mode = "live"\n'


def test_what_is_so_already_or_is_no_customer_is_refused(folder):
    (folder / "acme.toml").write_text('mode = "live"\n')
    assert "acme is live already: nothing was changed" in run("live", "acme", "--yes", status=1)
    assert "no customer acmee: did you mean acme?" in run("live", "acmee", "--yes", status=1)
    assert "no customer ../acme" in run("live", "../acme", "--yes", status=1)


def test_a_file_that_says_nothing_can_be_made_to_say_that_it_is_live(folder):
    (folder / "acme.toml").write_text(SECTION)
    run("live", "acme", "--yes")
    assert (folder / "acme.toml").read_text() == 'mode = "live"\n\n' + SECTION


@pytest.mark.parametrize("text", ["mode =", 'mode = "dry"', b"\xff"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(folder, text):
    path = folder / "acme.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = path.read_bytes()
    assert "acme.toml" in run("live", "acme", "--yes", status=1)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["acme", "globex"])
def test_whoever_copies_an_example_begins_dry(name):
    assert mode_in((EXAMPLES / f"{name}.toml").read_text()) is Mode.DRY_RUN
