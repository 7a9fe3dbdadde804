"""`arctl demo`: the whole way on one machine, against pretend vendors and inboxes, with the threats of `examples/`."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import requests
from rich.live import Live
from rich.panel import Panel

from ..audit.door import door_of
from ..bootstrap import doorbell_at, ledger_at
from ..domain.errors import ARError
from ..domain.policies import Mode
from ..seals import seals_of
from ..settings.modes import with_mode
from ..sources import FORMATS
from .connection import leave_word, without_login
from .ingest import accept_all, read_all
from .lock import locked
from .machine import Machine, set_up
from .output import console, say, shown
from .private import private_file, private_folder
from .processes import Interrupted, interruptible
from .scoreboard import Scoreboard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..ports import Ledger

EXAMPLES = Path(__file__).parents[1] / "examples"
#: The examples settle in a few seconds; this is for slow machines and killed workers, whose leases must expire.
DEADLINE = 240.0
#: All that the demo takes from its surroundings: the rest leads to somebody's ledger, workers, customers and receivers.
_TAKEN = frozenset({
    "AR_COMPACT_HOURS", "AR_FSYNC", "AR_LEASE_SECONDS", "AR_POLL_SECONDS", "AR_RECHECK_SECONDS", "AR_REDIS_MEMORY", "AR_REDIS_SERVER",
    "AR_TRANSPORT",
})  # fmt: skip


@click.command()
@click.option("--keep", is_flag=True, help="Stay up afterwards, and print Flower's address.")
@click.option(
    "--examples", type=click.Path(exists=True, file_okay=False, path_type=Path), default=EXAMPLES, help="Another folder of threats."
)
@click.option("--folder", type=click.Path(path_type=Path), help="Where logs and Redis's data go. Default: a temporary folder.")
def demo(examples: Path, folder: Path | None, *, keep: bool) -> None:
    """Run everything against pretend vendors, ingest the example threats, and watch them being contained.

    It is a world of its own: your AR_HOME, AR_REDIS_URL, customers and receivers are not used. Exit status 0 only if
    every outcome is the expected one.

    Example: arctl demo --keep
    """
    screen = console()
    theirs = [name for name in os.environ if name.startswith("AR_") and name not in _TAKEN]
    for name in theirs:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="arctl-demo-") as temporary:
        where = (folder or Path(temporary)).absolute()
        with locked(where, "arctl demo"), interruptible():
            try:
                problems = _run(screen, where, examples, _command(where, theirs) if keep else None)
            except Interrupted:
                say("stopped")
                raise click.exceptions.Exit(130) from None
    if problems:
        raise ARError("not every outcome is the expected one:\n  " + "\n  ".join(problems))


def _command(folder: Path, theirs: list[str]) -> str:
    """How another command finds the ledger of this demo, and its workers where it rings them."""
    unset = "".join(f"-u {name} " for name in theirs if name in {"AR_REDIS_URL", "AR_BROKER_URL"})
    unset = unset and f"env {unset}"
    return f"{unset}AR_HOME={shlex.quote(str(folder))} arctl threats"


def _run(screen: Console, folder: Path, examples: Path, command: str | None) -> list[str]:
    """What was not as expected. With a command for others to use, it stays up until Ctrl-C."""
    seals_of(_keys(folder)).check()
    machine = set_up(folder, os.environ)
    word = leave_word(folder, machine.redis_url, machine.flower_url)
    try:
        with screen.status("starting Redis, the simulator, five workers, beat and Flower ..."):
            _start(machine, examples)
        redis = without_login(machine.redis_url)
        say(f"up: Redis at {redis}, {machine.flower}, logs in {machine.folder / 'log'}")
        board = Scoreboard(_ledger(machine), json.loads((examples / "expected.json").read_text()))
        for name in ("threats.ndjson", "afterwards.ndjson"):
            _ingest(machine, examples / name)
            _watch(screen, machine, board, name, Switch(machine.folder / "simulator.json"))
        screen.print(board.result())
        _show_what_arrived(screen, machine.folder / "journal.ndjson")
        problems = board.problems()
        if not problems:
            screen.print("every outcome is the expected one", style="green")
        if command:
            _stay(machine, command)
        return problems
    finally:
        word.unlink(missing_ok=True)
        machine.stop()


def _start(machine: Machine, examples: Path) -> None:
    ready = machine.folder / "simulator.json"
    ready.unlink(missing_ok=True)
    machine.crew.add(
        "simulator", "ar_workers.simulator",
        "--world", str(examples / "world.json"), "--ready-file", str(ready), "--journal", str(machine.folder / "journal.ndjson"),
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not ready.exists():
        if time.monotonic() > deadline:
            raise ARError(f"the simulator did not start: see {machine.folder / 'log' / 'simulator.log'}")
        time.sleep(0.05)
    addresses = _environment(json.loads(ready.read_text()), _live(examples / "customers", machine.folder))
    machine.environment |= {**addresses, "AR_HOME": str(machine.folder)}
    machine.start()


def _live(customers: Path, folder: Path) -> Path:
    """The example files as they are, but live: whoever copies them begins with a dry run."""
    copies = private_folder(folder / "customers")
    for path in customers.glob("*.toml"):
        with private_file(copies / path.name, "w") as copy:
            copy.write(with_mode(path.read_text(encoding="utf-8"), Mode.LIVE))
    return copies


def _environment(addresses: dict[str, Any], customers: Path) -> dict[str, str]:
    """The pretend vendors' addresses and secrets, as an operator would set them."""
    inboxes = addresses["inboxes"]
    mail_host, _, mail_port = addresses["mail"].partition(":")
    return {
        "AR_CUSTOMERS": str(customers),
        "ACME_FALCON_URL": addresses["crowdstrike"],
        "GLOBEX_FALCON_URL": addresses["crowdstrike"],
        "ACME_FALCON_CLIENT_ID": "acme-client",
        "ACME_FALCON_CLIENT_SECRET": "acme-secret",
        "GLOBEX_FALCON_CLIENT_ID": "globex-client",
        "GLOBEX_FALCON_CLIENT_SECRET": "globex-secret",
        "AR_CA_FILE": addresses["ca_pem"],
        "AR_SLACK_TOKEN": inboxes["slack"]["token"],
        "AR_SLACK_CHANNEL": inboxes["slack"]["channels"][0],
        "AR_SLACK_URL": addresses["slack"],
        "AR_PAGERDUTY_ROUTING_KEY": inboxes["pagerduty"]["routing_key"],
        "AR_PAGERDUTY_URL": addresses["pagerduty"],
        "AR_SMTP_HOST": mail_host,
        "AR_SMTP_PORT": mail_port,
        "AR_SMTP_USER": inboxes["mail"]["user"],
        "AR_SMTP_PASSWORD": inboxes["mail"]["password"],
        "AR_SMTP_FROM": "tre@ar.example",
    }


def _keys(folder: Path) -> dict[str, str]:
    """Where the demo's own keys and record are, as its processes find them."""
    return {"AR_HOME": str(folder)}


def _ledger(machine: Machine) -> Ledger:
    ours = _keys(machine.folder)
    return ledger_at(machine.redis_url, seals=seals_of(ours), door=door_of(ours))


def _ingest(machine: Machine, path: Path) -> None:
    with path.open("rb") as stream:
        lines = list(accept_all(_ledger(machine), doorbell_at(machine.redis_url), read_all(stream, FORMATS["event"], None)))
    for line in lines:
        if line.status != "accepted":
            say(f"{path.name}:{line.line}: {line.status} {line.field} {line.reason}".rstrip())
    say(f"{path.name}: {sum(line.status == 'accepted' for line in lines)} events accepted")


class Switch:
    """Brings endpoints back that were switched off, by the simulator's own door."""

    def __init__(self, ready: Path) -> None:
        self._control = str(json.loads(ready.read_text())["control"])
        self._on: set[tuple[str, str]] = set()

    def turn_on(self, endpoints: Iterable[tuple[str, str]]) -> None:
        """Each once, by tenant and agent id."""
        for tenant, agent_id in set(endpoints) - self._on:
            url = f"{self._control}/_control/endpoints/{tenant}/{agent_id}"
            requests.patch(url, json={"online": True}, timeout=10).raise_for_status()
            self._on.add((tenant, agent_id))


def _watch(screen: Console, machine: Machine, board: Scoreboard, name: str, switch: Switch) -> None:
    """Redraw until everything is settled that can be; what dies meanwhile is started again.

    An endpoint that is switched off comes back once the TREs were told that it is not contained.
    """
    deadline = time.monotonic() + DEADLINE
    with Live(board.progress(), console=screen, refresh_per_second=8, transient=True) as live:
        while not board.is_settled(last=name) and time.monotonic() < deadline:
            machine.crew.mend()
            switch.turn_on(board.told_of())
            live.update(board.progress())
            time.sleep(0.15)


def _show_what_arrived(screen: Console, journal: Path) -> None:
    """A TRE's Slack message, and a customer's mail, as the pretend servers took them."""
    messages = [each for each in map(json.loads, journal.read_text(encoding="utf-8").splitlines()) if each["kind"] == "message"]
    slack = next((each for each in messages if each["vendor"] == "slack"), None)
    mail = next((each for each in messages if each["vendor"] == "mail" and "summary" in each["body"]["text"].lower()), None)
    late = next((each for each in messages if each["vendor"] == "slack" and each["subject"].startswith("Not contained")), None)
    for each in filter(None, (slack, late)):
        screen.print(Panel(shown(each["subject"]), title=shown(f"Slack, {each['channel']}")))
    if mail:
        screen.print(Panel(shown(f"{mail['subject']}\n\n{mail['body']['text'].strip()}"), title=shown(f"mail to {mail['channel']}")))


def _stay(machine: Machine, command: str) -> None:
    say(f"staying up: {machine.flower}; Ctrl-C ends it. Other commands find this demo so:")
    say(command)
    while True:
        machine.crew.mend()
        time.sleep(0.5)
