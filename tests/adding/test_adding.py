"""CONTRIBUTING.md is true: a toy EDR, channel, automation and verb are added by its steps, in a copy, and their contracts hold.

A toy's new files lie in a folder of its name beside this file, at their places in the repository. `LINES` is what the steps write
into files that are there already. The page names exactly these files.
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
        "ar_workers/domain/endpoints.py": {
            "    SENTINELONE = .*": '    TOY = "toy"',
            '    Vendor.SENTINELONE: "SentinelOne",': '    Vendor.TOY: "Toy",',
        },
        "examples/customers/acme.toml": {
            "holds_end = .*": '\n#[edr.toy]\n#base_url = "https://acme.toy.example"\n#token = "env:ACME_TOY_TOKEN"\n'
            '#remediate_groups = ["Remediate"]\n#read_timeout = 15.0\n#poll = true\n#poll_overlap_minutes = 15',
        },
    },
    "channel": {
        "ar_workers/domain/channels.py": {'ChannelName = Literal\\["slack"(|),.*': ', "gong"'},
        "examples/customers/acme.toml": {
            "holds_end = .*": '\n#[receivers.yard]\n#channel = "gong"\n#url = "env:ACME_GONG_URL"',
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
    "verb": {
        "ar_workers/domain/actions.py": {
            '    "delete_registry_key",': '    "scan_endpoint",',
            '    verb: Literal\\["isolate"\\] = .*': '\n\nclass ScanEndpoint(_OnEndpoint):\n    """Let the EDR look through the whole endpoint."""\n\n'
            '    verb: Literal["scan_endpoint"] = "scan_endpoint"',
            r"    \| DeleteRegistryKey(|),": "\n    | ScanEndpoint",
        },
        "ar_workers/domain/verbs.py": {
            '    "delete_registry_key": .*': '    "scan_endpoint": VerbRule(step=1, no_undo="a scan leaves nothing behind"),'
        },
        "ar_workers/automations/threat_published.py": {
            "from ..domain.actions import IsolateEndpoint(|)": ", ScanEndpoint",
            r"    return Plan\(actions=\(IsolateEndpoint\(.*endpoint=endpoint\),(|)\)\)": " *_scan(event, endpoint, context)",
            "_FIRST = 5": "\n\ndef _scan(event: ThreatPublished, endpoint: Endpoint, context: Context) -> tuple[ScanEndpoint, ...]:\n"
            '    able = context.capabilities.may(endpoint.edr, "scan_endpoint", endpoint.os)\n'
            "    return (ScanEndpoint(customer=event.customer, edr=endpoint.edr, endpoint=endpoint),) if able else ()",
        },
        "ar_workers/edr/toy.py": {
            "from ..domain.actions import IsolateEndpoint, ReleaseEndpoint(|)": ", ScanEndpoint",
            r'        yield Probe\("Isolate endpoints".*': "\n"
            "    @performs(ScanEndpoint, on=EVERYWHERE)\n    def scan(self, action: ScanEndpoint, _: Fact) -> Receipt:\n"
            '        """Order it."""\n        self._api.call("POST", f"/endpoints/{action.endpoint.agent_id}/scan")\n'
            "        return Receipt(reference=action.endpoint.agent_id)\n\n"
            "    @observes(ScanEndpoint)\n    def scanned(self, action: ScanEndpoint, _: Receipt | None) -> Fact:\n"
            '        """By what the endpoint shows."""\n        is_over = self._row(action.endpoint.agent_id)["scanned"]\n'
            '        return Fact(sight=Sight.PRESENT if is_over else Sight.ABSENT, evidence=f"Toy shows scanned {is_over}")',
        },
        "ar_workers/simulator/toy.py": {
            '                "status": one.status,': '                "scanned": bool(one.facts.get("scanned")),',
            r"        return json_reply\(404, \{.error.: .no such toy.\}\)": "\n    def _scanned(self, tenant: Tenant, agent_id: str) -> Reply:\n"
            "        endpoint = tenant.endpoint(agent_id, self._clock.now())\n        if endpoint is None:\n"
            '            return json_reply(404, {"error": "no such endpoint"})\n'
            '        is_new = not endpoint.facts.get("scanned")\n        endpoint.facts["scanned"] = True\n'
            '        self._journal.effect("scan_endpoint", agent_id, changed=is_new, vendor=self.vendor, tenant=tenant.name)\n'
            "        return json_reply(202, {})",
            r"        match request.method, .*": '            case "POST", ["endpoints", agent_id, "scan"]:\n                return self._scanned(tenant, agent_id)',
        },
    },
}
#: Toy -> which of the page's letters stands for which name.
LETTERS = {
    "edr": {"x": "toy"},
    "channel": {"x": "gong"},
    "automation": {"x": "low_severity"},
    "verb": {"x": "scan_endpoint", "y": "threat_published", "z": "toy"},
}
#: Toy -> the one that it is added to.
UPON = {"verb": "edr"}
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
    "verb": (
        [
            "tests/edr/test_contract.py",
            "tests/domain/test_guards.py",
            "tests/domain/test_verbs.py",
            "tests/automations/test_scan_endpoint.py",
        ],
        "scan or verb or undo or lua",
        {"README.md": "| scan endpoint | -"},
    ),
}


def copied(toy, folder):
    """The repository with the toy in it."""
    for name in ("ar_workers", "tests", "examples", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "adding"))
    for page in (each for each in ROOT.glob("*.*") if each.is_file()):
        shutil.copy(page, folder)
    for each in filter(None, (UPON.get(toy), toy)):
        added(each, folder)


def added(toy, folder):
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
    named = [in_this(toy, name) for step in found for name in step]
    touched = new_files(toy) | set(LINES[toy])
    assert len(found) == 4
    assert sorted(named) == sorted(touched)
    assert f"{len(touched)} files, {len(new_files(toy))} of them new" in section


def in_this(toy, name):
    """What the page's file is called for the toy."""
    for letter, meant in LETTERS[toy].items():
        name = re.sub(rf"\b(test_)?{letter}\.py$", rf"\g<1>{meant}.py", name)
    return name


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
