"""CONTRIBUTING.md is true: a toy EDR, channel and automation are added by its steps, in a copy, and their contracts hold.

A toy's new files lie in `edr`, `channel` and `automation` beside this file, at their places in the repository. `LINES` is what the
steps write into files that are there already. The page names exactly these files.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
#: Toy -> file -> line that is there -> what is put behind it; or, where it has a `(|)`, into it.
LINES = {
    "edr": {
        "ar_workers/edr/__init__.py": {
            "from . import carbon_black_cloud,.*": "from . import toy",
            "ADAPTERS: .*": "    Vendor.TOY: Entry(toy.Config, toy.Toy, toy.feed),",
        },
        "ar_workers/domain/endpoints.py": {
            "    SENTINELONE = .*": '    TOY = "toy"',
            '    Vendor.SENTINELONE: "SentinelOne",': '    Vendor.TOY: "Toy",',
        },
        "ar_workers/sources/__init__.py": {r"from \. import \(": "    toy,", "FORMATS: .*": '    "toy": toy.read,'},
        "ar_workers/simulator/simulation.py": {
            "from .world import World": "from .toy import ToyTwin",
            "TWINS: .*": '    "toy": ToyTwin,',
        },
        "tests/edr/rigs/__init__.py": {"from .sentinelone import .*": "from .toy import toy", "RIGS = .*": "    Vendor.TOY: toy,"},
        "tests/edr/test_checkup.py": {"UNTESTABLE = .*": '    Vendor.TOY: {"Isolate endpoints"},'},
        "tests/edr/alerts.py": {
            "SHAPES = .*": '    Vendor.TOY: lambda number, came, changed: {"id": f"a-{number}", "created": _iso(came), "changed": _iso(changed)},',
        },
        "tests/sources/vendors.py": {
            "SAMPLES = .*": '    "toy": Sample(kind="toy", record={"id": "a-1", "created": AT, "endpoint": "a" * 32, "name": "FIN-LT-07",'
            ' "title": "t", "sha256": SHA256}, endpoint=("endpoint",), title=("title",), sha256=("sha256",), benign=(("verdict",), "benign")),',
        },
        "examples/customers/acme.toml": {
            "isolations_per_hour = .*": '\n#[edr.toy]\n#base_url = "https://acme.toy.example"\n#token = "env:ACME_TOY_TOKEN"\n'
            '#remediate_groups = ["Remediate"]\n#read_timeout = 15.0\n#poll = true\n#poll_overlap_minutes = 15',
        },
    },
    "channel": {
        "ar_workers/channels/__init__.py": {
            "    email,": "    gong,",
            "CHANNELS: .*": '    "gong": Entry(gong.Config, gong.Gong, gong.probe),',
        },
        "ar_workers/domain/notifications.py": {'ChannelName = Literal\\["slack"(|),.*': ', "gong"'},
        "ar_workers/settings/problems.py": {'    if section.channel in {"pagerduty"(|),.*': ', "gong"'},
        "ar_workers/simulator/simulation.py": {
            "from .inboxes.mail import MailInbox": "from .inboxes.gong import GongInbox",
            "        self.teams = .*": '        self.gong = self._server("gong", GongInbox(self.journal), tls)',
        },
        "pyproject.toml": {'    "ar_workers.channels.webhook",': '    "ar_workers.channels.gong",'},
        "tests/channels/rigs.py": {
            "from ar_workers.channels.egress import Egress": "from ar_workers.channels import gong",
            "#: The name's first word .*": "def a_gong(simulation):\n"
            '    config = gong.Config(url=f"{simulation.gong.url}/?sig={CANARY}")\n'
            '    return Rig(gong.Gong(config, an_egress(simulation, simulation.gong)), simulation, "gong", a_delivery("gong"))\n\n',
            "RIGS = .*": '    "gong": a_gong,',
            "OUTCOMES = .*": '    ("gong", TOO_OFTEN, Answer.RETRY),\n    ("gong", BROKEN, Answer.UNKNOWN),',
        },
        "tests/channels/judges.py": {
            "#: Each is given .*": "def _gong(channel, note):\n"
            '    message = channel.render(note, "acme:gong:1")\n'
            '    assert message["facts"] == essentials(note)\n'
            "    assert is_clean(json.dumps(message, ensure_ascii=False))\n\n",
            "JUDGES = .*": '    "gong": _gong,',
        },
        "examples/customers/acme.toml": {
            "isolations_per_hour = .*": '\n#[receivers.yard]\n#channel = "gong"\n#url = "env:ACME_GONG_URL"',
        },
    },
    "automation": {
        "ar_workers/automations/__init__.py": {
            r"from \. import \(": "    low_severity,",
            r"    ThreatPublished: \((|)threat_published.*": "low_severity.plan, ",
            "KNOBS: .*": '    "low_severity": frozenset(),',
        },
        "ar_workers/settings/sections.py": {"    threat_published: _ThreatPublished = .*": "    low_severity: _Managed = _Managed()"},
    },
}
#: Toy -> the tests that are to pass with it, and what `arctl docs` then writes.
CHECKS = {
    "edr": (
        ["tests/edr/test_contract.py", "tests/edr/test_checkup.py", "tests/sources/test_alerts.py", "tests/domain/test_summaries.py"],
        "toy or every_adapter or every_edr",
        {
            "README.md": "| toy |",
            "docs/quickstart.md": "| `Isolate endpoints` | isolate and release |",
            "docs/configuration.md": "#### [edr.toy]",
        },
    ),
    "channel": (
        ["tests/channels/test_contract.py", "tests/channels/test_rendering.py"],
        "gong or every_channel",
        {"docs/configuration.md": '#### channel = "gong"'},
    ),
    "automation": (["tests/automations"], "", {"docs/configuration.md": "`low_severity`"}),
}


def copied(toy, folder):
    """The repository with the toy in it."""
    for name in ("ar_workers", "tests", "examples", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "adding"))
    for page in (each for each in ROOT.glob("*.*") if each.is_file()):
        shutil.copy(page, folder)
    shutil.copytree(HERE / toy, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, lines in LINES[toy].items():
        text = (folder / name).read_text()
        for line, more in lines.items():
            text = written(text, line, more)
        (folder / name).write_text(text)


def written(text, line, more):
    found = re.findall(rf"^{line}$", text, re.MULTILINE)
    assert len(found) == 1, line
    place = re.search(rf"^{line}$", text, re.MULTILINE)
    at, more = (place.start(1), more) if "(|)" in line else (place.end(), f"\n{more}")
    return text[:at] + more + text[at:]


def ran(folder, *command):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run([sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    return result.stdout


def new_files(toy):
    return {str(path.relative_to(HERE / toy)) for path in (HERE / toy).rglob("*.py")}


def steps(toy):
    """The section of the page: its steps, each with the files that it names."""
    section = re.search(rf"^## Add an? {'EDR' if toy == 'edr' else toy}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)[1]
    numbered = re.findall(r"^\d\. (.*?)(?=^\d\. |^$)", section, re.MULTILINE | re.DOTALL)
    return section, [re.findall(r"`((?:ar_workers|tests|examples)/[\w./]+\.\w+|pyproject.toml)`", each) for each in numbered]


@pytest.mark.parametrize("toy", LINES)
def test_the_page_names_in_four_steps_exactly_the_files_that_are_touched(toy):
    section, found = steps(toy)
    named = [name.replace("/x.py", f"/{x_of(toy)}.py").replace("test_x", f"test_{x_of(toy)}") for step in found for name in step]
    touched = new_files(toy) | set(LINES[toy])
    assert len(found) == 4
    assert sorted(named) == sorted(touched)
    new = len(new_files(toy))
    assert f"{len(touched)} files, {new} of them new" in section


def x_of(toy):
    return {"edr": "toy", "channel": "gong", "automation": "low_severity"}[toy]


@pytest.mark.parametrize("toy", LINES)
def test_a_toy_that_is_added_by_the_steps_keeps_the_contract_and_is_in_the_documentation(toy, tmp_path):
    copied(toy, tmp_path)
    tests, which, pages = CHECKS[toy]
    ran(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", *tests, *(["-k", which] if which else []))
    ran(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_docs.py", "-k", "shows_every_key")
    ran(tmp_path, "ar_workers.cli", "docs")
    for page, words in pages.items():
        assert words in (tmp_path / page).read_text()
        assert words not in (ROOT / page).read_text()
