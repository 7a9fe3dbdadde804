"""The pages are true: generated parts are up to date, every command runs, every link leads somewhere, the example is whole."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib

import click
import pytest

from ar_workers.channels import CHANNELS
from ar_workers.cli import arctl
from ar_workers.cli.docs import ROOT, filled, pages
from ar_workers.cli.reference import OPERATORS
from ar_workers.domain.notifications import Digest
from ar_workers.domain.routes import Quiet, Route
from ar_workers.edr import ADAPTERS
from ar_workers.feeds import redcanary
from ar_workers.receivers import configured
from ar_workers.settings import load_settings
from ar_workers.settings.sections import Automations, CustomerFile, EDRSection, Protect, RedCanarySection
from ar_workers.settings.system import ELSEWHERE, PREFIX, System
from tests.builders import a_threat_published
from tests.edr.rigs.crowdstrike import crowdstrike

PAGES = pages()
#: Linked, and written by hand.
OTHERS = [ROOT / "bench" / "README.md", ROOT / "tests" / "chaos" / "README.md"]
LONGEST_README = 150
#: A page that is one session from its first command to its last, and commands that start a machine -> the test that runs them.
SESSIONS = {"quickstart.md": "tests/e2e/test_quickstart.py::test_a_stranger_isolates_a_first_endpoint"}
ELSEWHERE_RUN = {
    "make run": "tests/e2e/test_demo.py::test_workers_killed_in_the_middle_of_their_work_change_nothing_about_the_outcome",
    "make test": "tests/test_docs.py::test_a_command_of_a_page_runs",
    "arctl up": "tests/e2e/test_up.py::test_ctrl_c_ends_it_tidily_at_any_moment",
    "arctl audit verify": "tests/cli/test_audit.py::test_a_record_that_is_as_it_was_written_is_said_to_be",
    "arctl audit export --customer acme --since 7d": "tests/cli/test_audit.py::test_the_record_is_exported_line_by_line_as_it_is_chained",
    "arctl audit export --customer acme --format ocsf": "tests/cli/test_audit.py::test_the_record_is_exported_as_ocsf",
    'arctl actions acknowledge acme:isolate:5f1e09c3a7d2b146 --reason "laptop is in the post, back on Monday"':
        "tests/cli/test_isolated.py::test_an_acknowledgement_is_shown_in_listings_with_who_and_why",
    "arctl undo --threat THREAT-1042 --customer acme --dry-run":
        "tests/cli/test_undo.py::test_a_dry_run_shows_the_plan_and_records_nothing",
    'arctl undo --threat THREAT-1042 --customer acme --reason "false positive, says the SOC"':
        "tests/cli/test_undo.py::test_the_plan_is_shown_and_asked_about_once",
}  # fmt: skip
#: What has been done before: nobody decides who is not named, and nothing can be opened that is not closed.
NAMED = "arctl people add sam --role admin"
BEFORE = {
    'arctl pause --reason "stop everything"': NAMED,
    'arctl pause --customer acme --reason "change freeze" --for 2h': NAMED,
    "arctl resume": f"{NAMED}\narctl pause --reason drill",
    "arctl resume --customer acme": f"{NAMED}\narctl pause --customer acme --reason drill",
}
ACME = """
[edr.crowdstrike]
base_url = "{url}"
client_id = "env:ACME_ID"
client_secret = "env:ACME_SECRET"
remediate_groups = ["Remediate"]
poll = true
[receivers.soc]
channel = "email"
to = "soc@acme.example"
"""


def commands_of(page):
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    return [line.removeprefix("$ ").partition("  #")[0].strip() for block in blocks for line in block.splitlines()]


COMMANDS = [(page.name, command) for page in PAGES if page.name not in SESSIONS for command in commands_of(page)]


def prose(page):
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def coded(page):
    return re.findall(r"`([^`\n]+)`", prose(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_generated_parts_are_up_to_date(page):
    assert filled(page.read_text()) == page.read_text()


def test_the_readme_is_read_in_three_minutes():
    assert len((ROOT / "README.md").read_text().splitlines()) <= LONGEST_README


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES if page.name != "README.md" and f"{page.relative_to(ROOT)})" not in text] == []


@pytest.fixture(scope="module")
def twin():
    with crowdstrike() as rig:
        yield rig.simulation


@pytest.fixture
def environment(twin, real_redis, redis_url, tmp_path):
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "acme.toml").write_text(ACME.format(url=twin.twins["crowdstrike"].url))
    (tmp_path / "threats.ndjson").write_text(a_threat_published().model_dump_json() + "\n")
    return {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "AR_HOME": str(tmp_path), "AR_REDIS_URL": redis_url,
        "ACME_ID": "the-client", "ACME_SECRET": "canary-secret", "AR_CA_FILE": str(twin.ca_pem),
        "AR_SLACK_TOKEN": "xoxb-simulated", "AR_SLACK_CHANNEL": "C-TRE", "AR_SLACK_URL": f"{twin.inboxes['slack'].url}/api/",
        "AR_SMTP_HOST": "127.0.0.1", "AR_SMTP_PORT": str(twin.inboxes["mail"].port), "AR_SMTP_FROM": "tre@ar.example",
        "AR_SMTP_USER": "ar", "AR_SMTP_PASSWORD": "simulated",
    }  # fmt: skip


def run(command, environment):
    words = shlex.split(command)
    assert words[0] == "arctl"
    arguments = [sys.executable, "-m", "ar_workers.cli", *words[1:]]
    return subprocess.run(arguments, cwd=environment["HOME"], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("page", "command"), [each for each in COMMANDS if each[1] not in ELSEWHERE_RUN])
def test_a_command_of_a_page_runs(page, command, environment):
    for before in ["arctl ingest threats.ndjson", *BEFORE.get(command, "").splitlines()]:
        assert run(before, environment).returncode == 0
    result = run(command, environment)
    assert (result.returncode, result.stderr) == (0, "" if "ingest" not in command else result.stderr)


@pytest.mark.parametrize("where", [*SESSIONS.values(), *ELSEWHERE_RUN.values()])
def test_what_is_run_elsewhere_is_run_by_a_test_that_is_there(where):
    path, _, name = where.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text()


def options(command):
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_is_named_in_a_sentence_has_these_options(page):
    for named in (each for each in coded(page) if each.startswith("arctl ")):
        command, words = arctl, shlex.split(named)[1:]
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None, named
        assert {word for word in words if word.startswith("--")} <= options(command), named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_variables_and_files_that_are_named_are_there(page):
    makefile, text = (ROOT / "Makefile").read_text(), page.read_text()
    assert [name for name in re.findall(r"`?make ([a-z]+)[`\n ]", text) if f"\n{name}:" not in makefile and f"`make {name}" in text] == []
    known = {PREFIX + name.upper() for name in System.model_fields} | set(ELSEWHERE)
    named = set(re.findall(r"\bAR_[A-Z_]*[A-Z]\b", text))
    assert {name for name in named if not {name, name.removesuffix("_FILE")} & known} == set()
    files = re.findall(r"`((?:ar_workers|tests|bench|examples|docs)/[\w./-]+)`", text)
    assert [name for name in files if not re.search(r"VENDOR|/(test_)?[xyz]\.py$", name) and not (ROOT / name).exists()] == []


def test_every_variable_that_the_code_reads_is_known_and_so_refused_nowhere():
    sources = [ROOT / "celeryconfig.py", *(ROOT / "ar_workers").rglob("*.py")]
    read = {name for path in sources for name in re.findall(r'environ\b[^"\n]{1,6}"(AR_[A-Z_]+)"', path.read_text())}
    assert "AR_FSYNC" in read
    assert read <= {PREFIX + name.upper() for name in System.model_fields} | set(ELSEWHERE)


def anchors(page):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(ROOT)))
def test_each_row_of_a_table_has_as_many_cells_as_its_head(page):
    tables = re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE)
    widths = [{len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()} for table in tables]
    assert [table.partition("\n")[0] for table, found in zip(tables, widths, strict=True) if len(found) > 1] == []


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_words_of_the_glossary_are_words_of_the_code_in_their_order():
    words = re.findall(r"^\| \*\*(\w+)\*\* \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    sources = [path for ending in ("py", "lua") for folder in ("ar_workers", "tests/edr") for path in (ROOT / folder).rglob(f"*.{ending}")]
    code = "\n".join(path.read_text() for path in sources).lower()
    assert [word for word in words if word.lower() not in code] == []
    assert words == sorted(words, key=str.lower)


#: Variables that the example names, and must be of a certain form; any other URL may be any.
FORMS = {
    "ACME_SLACK_WEBHOOK": "https://hooks.slack.com/services/T0/B0/x",
    "ACME_WEBHOOK_SECRET": "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGUtd2ViaG9vaw==",
    "ACME_TWILIO_ACCOUNT": "AC" + "0" * 32,
    "ACME_FALCON_URL": "https://api.crowdstrike.com",
}


@pytest.fixture(scope="module")
def whole():
    """The example with everything switched on that is switched off in it."""
    return re.sub(r"^#(?=[\[a-z])", "", (ROOT / "examples" / "customers" / "acme.toml").read_text(), flags=re.MULTILINE)


def keys_of(*models):
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def test_the_example_shows_every_key_and_no_other(whole):
    shown = tomllib.loads(whole)
    assert set(shown) == keys_of(CustomerFile)
    assert shown["mode"] == "dry_run"
    assert {vendor: set(section) for vendor, section in shown["edr"].items()} == {
        vendor: keys_of(EDRSection, entry.config) for vendor, entry in ADAPTERS.items()
    }
    assert set(shown["redcanary"]) == keys_of(RedCanarySection, redcanary.Config)
    assert set(shown["protect"]) == keys_of(Protect)
    fields = {name: field.annotation for name, field in Automations.model_fields.items() if field.annotation.model_fields}
    assert {name: set(section) for name, section in shown["automations"].items()} == {name: keys_of(kind) for name, kind in fields.items()}
    assert {key for route in shown["routes"] for key in route} == keys_of(Route)
    windows = {key for route in shown["routes"] for name in ("hours", "quiet") for key in route.get(name, {})}
    assert windows == keys_of(Quiet)
    assert {key for route in shown["routes"] for key in route.get("digest", {})} == keys_of(Digest)


def test_the_example_shows_every_key_of_every_channel(whole):
    receivers = tomllib.loads(whole)["receivers"].values()
    for name, entry in CHANNELS.items():
        own = set() if name == "email" else keys_of(entry.config) - OPERATORS - {"host"}
        addresses = {"to"} if any("to" in each for each in receivers if each["channel"] == name) else set()
        shown = {key for each in receivers if each["channel"] == name for key in each}
        assert shown == own | {"channel"} | addresses, name


def test_the_example_that_shows_every_key_is_taken_by_every_part(whole, tmp_path):
    (tmp_path / "acme.toml").write_text(whole)
    a_word, a_url = "x" * 32, "https://any.acme.example/x"
    environ = {name: FORMS.get(name, a_url if name.endswith("_URL") else a_word) for name in re.findall(r'"env:(\w+)"', whole)}
    settings = load_settings({**environ, "AR_CUSTOMERS": str(tmp_path), "AR_HOME": str(tmp_path)})
    customer, problems = settings.customers["acme"], []
    for vendor, given in customer.edrs.items():
        ADAPTERS[vendor].config(**given)
    redcanary.Config(**customer.redcanary)
    configured(settings, problems)
    assert problems == []
    assert set(customer.edrs) == set(ADAPTERS)
