"""`arctl docs`: what is generated, where it is put, and what it says where it cannot."""

from __future__ import annotations

import re

import pytest

from ar_workers.cli import docs, reference
from ar_workers.cli.docs import BLOCKS, filled, stale
from ar_workers.domain.errors import ARError
from tests.edr.rigs import RIGS

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")


def a_block(name, text="old"):
    return f"<!-- generated: {name} -->\n{text}\n<!-- end: {name} -->\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A small repository with a place for every block."""
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    for name in PAGES:
        (tmp_path / name).write_text("# A page\n")
    (tmp_path / "docs" / "all.md").write_text("".join(f"before\n{a_block(name)}after\n" for name in BLOCKS))
    return tmp_path


def test_what_is_stale_is_named_with_its_fresh_text(root):
    ((page, text),) = stale()
    assert page == root / "docs" / "all.md"
    assert text.count("before\n<!-- generated") == len(BLOCKS)
    assert "-->\nold\n<!--" not in text
    page.write_text(text)
    assert list(stale()) == []


def test_a_block_without_a_place_is_refused(root):
    page = root / "docs" / "all.md"
    page.write_text(page.read_text().replace(a_block("protect"), ""))
    with pytest.raises(ARError, match="no page has a place for protect"):
        list(stale())


def test_a_block_that_nothing_makes_is_refused():
    with pytest.raises(ARError, match="nothing makes the block weather"):
        filled(a_block("weather"))


def test_an_installed_package_has_no_pages_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    with pytest.raises(ARError, match="run this in a checkout"):
        list(stale())


@pytest.mark.parametrize("name", BLOCKS)
def test_every_line_of_every_table_says_something_at_its_end(name):
    rows = [line for line in BLOCKS[name]().splitlines() if line.startswith("|")]
    assert rows
    assert [row for row in rows if row.rstrip("| ") == "" or re.search(r"\|\s*\|$", row)] == []


@pytest.mark.parametrize("vendor", RIGS)
def test_the_permissions_are_those_that_the_checkup_asks_for(vendor):
    section = reference.permissions().partition(f"#### {vendor}\n")[2].partition("#### ")[0]
    listed = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    with RIGS[vendor]() as rig:
        asked = {probe.needs for probe in rig.adapter.probes()}
        assert asked <= listed
        assert rig.adapter.grant[1:] in section


def test_listing_permissions_asks_no_vendor_anything(monkeypatch):
    monkeypatch.setattr("ar_workers.http.HttpSession.call", None)
    assert "Machine.Isolate" in reference.permissions()


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("protect", "| `isolations_per_hour` | `25` | Isolations of this customer in any hour. The next ones are held for a TRE. |"),
        ("automations", "One of `quarantine`, `delete`, `quarantine_else_delete`."),
        ("edrs", '| `client_secret` | needed | The API client\'s secret. Secret: `"env:NAME"`. |'),
        ("routes", "| `from` | needed | When it begins, such as `08:00`. |"),
        ("routes", "| `days` | `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun` |"),
        ("environment", "| `AR_SLACK_TOKEN` or `AR_SLACK_TOKEN_FILE` |"),
        ("environment", "| `AR_HOME` | `~/.ar_workers` |"),
        ("receivers", "| `bom` | `false` |"),
    ],
)
def test_a_key_is_shown_with_its_default_and_what_it_may_be(block, line):
    assert line in BLOCKS[block]()


def test_what_only_the_operator_sets_of_a_channel_is_not_shown_to_customers():
    assert "ca_file" not in BLOCKS["receivers"]()
    assert "base_url" not in BLOCKS["receivers"]()
