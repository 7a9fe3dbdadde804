"""S12: bytes, records, settings, and vendors' and providers' answers, spoiled by chance; each is understood or refused, soon and in little room.

A mutator of our own works on real shapes, without looking at which branches it reaches: it is no coverage-guided fuzzer.
"""

from __future__ import annotations

import io
import json
import random
import re
import resource
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ar_workers.bootstrap import build
from ar_workers.domain.addresses import parse_address
from ar_workers.domain.errors import ARError, InvalidSettings
from ar_workers.domain.events import load_event
from ar_workers.domain.facts import Fact, Sight
from ar_workers.edr.gated import Gated
from ar_workers.http import delay_of
from ar_workers.settings import load_settings
from ar_workers.simulator import Fault, Simulation
from ar_workers.sources import FORMATS
from ar_workers.sources.records import records
from tests.builders import a_threat_published, an_ioc
from tests.channels.rigs import RIGS as CHANNELS
from tests.channels.rigs import a_world
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import FIRST
from tests.fakes import some_services
from tests.keys import FOLDER
from tests.security.trials.outcome import counted
from tests.sources.mutations import SHAPES, judged, spoiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from ar_workers.simulator.server import Reply, Request
    from tests.security.trials.outcome import Outcome

    Chance = random.Random
    #: Draws an input, reads it, and returns whether it was refused. Raises whatever is a fault.
    Parser = Callable[[Chance], bool]

#: Of one input, in seconds of this thread's processor; and of all together, in KiB that the process grows by.
SLOWEST, LARGEST = 1.0, 256 * 1024
EXAMPLES = Path(__file__).parents[3] / "ar_workers" / "examples"
#: Verbs that wait for no endpoint's answer.
VERBS = ("isolate", "release", "ban_hash", "ban_domain", "quarantine_file")
PIECES = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"{",
    b"}",
    b"[" * 2_000,
    b"]",
    b",",
    b":",
    b"\\",
    b"\\ud800",
    b"1e999",
    b"-",
    b"\n",
    b"NaN",
)
TIMES = (
    "3",
    "-1",
    "1e9",
    "9" * 400,
    "Sun, 29 Nov 2026 12:00:00 GMT",
    "Sun, 99 Nov 2026 12:00:00 -9999",
    "\u0663",
    "",
    " ",
    "inf",
    "0x10",
    "1,2",
)


def mangled(chance: Chance, raw: bytes) -> bytes:
    """The bytes with some cut out, doubled, turned, or put in."""
    found = bytearray(raw)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(found) + 1)
        piece = chance.choice((chance.choice(PIECES), chance.randbytes(chance.randrange(8)), bytes(found[at : at + 40])))
        found[at : at + chance.choice((0, 1, 1, 8, 200))] = piece
    return bytes(found)


class Mangling:
    """A twin whose answers are spoiled on the way; those with a token mostly are not, so that what follows is asked."""

    def __init__(self, twin: Any, chance: Chance) -> None:
        self._twin, self._chance = twin, chance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._twin, name)

    def answer(self, request: Request) -> Reply:
        reply: Reply = self._twin.answer(request)
        if self._chance.random() < (0.9 if "token" in request.path else 0.2):
            return reply
        reply.body = self._spoiled(reply.body)
        if self._chance.random() < 0.1:
            reply.status = self._chance.choice((200, 202, 204, 206, 299, 400, 404, 409, 418, 429, 500, 599))
        return reply

    def _spoiled(self, body: bytes) -> bytes:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or self._chance.random() < 0.2:
            return mangled(self._chance, body)
        return json.dumps(spoiled(found, self._chance)).encode()


class Parsers:
    """Everything that reads what others write."""

    def __init__(self, folder: Path, chance: Chance, stack: ExitStack) -> None:
        self._folder = folder
        self._event = a_threat_published(iocs=(an_ioc(),)).model_dump_json()
        self._lines = "\n".join(json.dumps(shape) for shapes in SHAPES.values() for shape in shapes).encode()
        self._rigs = [stack.enter_context(make()) for make in RIGS.values()]
        for rig in self._rigs:
            exchange = rig.server._listener.RequestHandlerClass.exchange
            exchange._twin = Mangling(exchange._twin, chance)
        self._wired = some_services()
        self._edrs = [(rig, Gated(rig.adapter, self._wired.ledger, "acme")) for rig in self._rigs]
        self._inboxes = stack.enter_context(Simulation(a_world()))
        self._channels = [make(self._inboxes) for make in CHANNELS.values() if make.__name__ not in {"a_syslog", "an_email"}]
        (folder / "customers").mkdir()
        self._settings = (EXAMPLES / "customers" / "acme.toml").read_text()
        names = re.findall(r"env:([A-Z0-9_]+)", self._settings)
        self._environ = {name: "https://api.crowdstrike.com" if name.endswith("_URL") else "0123456789abcdef" for name in names}
        self._environ |= {"AR_REDIS_URL": "redis://127.0.0.1:1/0", "AR_HOME": str(folder), "AR_KEYS": str(FOLDER)}
        self._environ["AR_CUSTOMERS"] = str(folder / "customers")

    def all(self) -> dict[str, Parser]:
        """By what they read."""
        return {**{f"{kind} record": self._record(kind) for kind in FORMATS}, "lines": self._read_lines, "event": self._read_event,
                "EDR": self._ask_edr, "channel": self._send, "settings": self._read_settings, "retry-after": _read_delay, "address": _read_address}  # fmt: skip

    @staticmethod
    def _record(kind: str) -> Parser:
        def parse(chance: Chance) -> bool:
            return not judged(kind, spoiled(chance.choice(SHAPES[kind]), chance)).startswith(("threat_", "note"))

        return parse

    def _read_lines(self, chance: Chance) -> bool:
        raw = mangled(chance, self._lines[: chance.randrange(len(self._lines))])
        return any(each.problem for each in list(records(io.BytesIO(raw))))

    def _read_event(self, chance: Chance) -> bool:
        """As the ledger gives it back."""
        try:
            load_event(mangled(chance, self._event.encode()).decode("utf-8", "surrogateescape"))
        except ValueError:
            return True
        return False

    def _ask_edr(self, chance: Chance) -> bool:
        rig, edr = chance.choice(self._edrs)
        verbs = [cell.verb for cell in rig.adapter.capabilities() if cell.verb in VERBS]
        action = rig.action(chance.choice(verbs))
        ways = (
            lambda: edr.endpoint(rig.agent_id(FIRST)),
            lambda: edr.observe(action, None),
            lambda: edr.observe(action, edr.perform(action, Fact(sight=Sight.ABSENT))),
            lambda: list(edr.members("Remediate")),
        )
        try:
            chance.choice(ways)()
        except ARError:
            return True
        return False

    def _send(self, chance: Chance) -> bool:
        rig = chance.choice(self._channels)
        body = mangled(
            chance,
            chance.choice((b'{"ok":true,"ts":"1.2","channel":"C1"}', b'{"status":"success","dedup_key":"x"}', b"ok", b"<html>", b"{}")),
        )
        self._inboxes.faults.clear()
        headers = {"Content-Type": "application/json", "Retry-After": chance.choice(TIMES).encode("ascii", "ignore").decode()}
        status = chance.choice((200, 200, 201, 202, 302, 400, 404, 429, 500, 503))
        self._inboxes.faults.add(Fault(action="reply", status=status, body=body.decode("latin-1"), headers=headers))
        try:
            return str(rig.channel.send(rig.delivery, f"acme:x:{chance.getrandbits(32):x}").answer) != "accepted"
        except ARError:
            return True

    def _read_settings(self, chance: Chance) -> bool:
        lines = self._settings.splitlines()
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(lines))
            lines[at] = chance.choice(
                (
                    "",
                    lines[at].lstrip("#"),
                    chance.choice(lines),
                    mangled(chance, lines[at].encode()).decode("latin-1"),
                    lines[at][: len(lines[at]) // 2],
                )
            )
        (self._folder / "customers" / "acme.toml").write_text("\n".join(lines), encoding="utf-8")
        try:
            build(load_settings(self._environ), before=self._wired)
        except InvalidSettings:
            return True
        return False


def _read_delay(chance: Chance) -> bool:
    return delay_of(mangled(chance, chance.choice(TIMES).encode()).decode("utf-8", "replace")) is None


def _read_address(chance: Chance) -> bool:
    known = (
        b"redis://kim:secret@10.0.0.1:6379/1",
        b"rediss+cluster://a:1,b:2,c:3",
        b"redis+sentinel://[::1]:26379/main/0?sentinel_password=x",
    )
    try:
        parse_address(mangled(chance, chance.choice(known)).decode("utf-8", "replace"))
    except ValueError:
        return True
    return False


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    with ExitStack() as stack:
        chance = random.Random(f"parsers/{seed}")
        return parsed(Parsers(folder, chance, stack).all(), chance, how_many)


def parsed(parsers: dict[str, Parser], chance: Chance, how_many: int) -> Outcome:
    """So many inputs, to each in turn. What got through is a fault, what took too long, and too much room of all together."""
    names, through, refused = list(parsers), [], 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(how_many):
        name, began = names[number % len(names)], time.thread_time()
        try:
            refused += parsers[name](chance)
        except Exception as fault:
            through.append(f"{name}, input {number}: {type(fault).__name__}: {str(fault)[:300]}")
        if time.thread_time() - began > SLOWEST:
            through.append(f"{name}, input {number}: {time.thread_time() - began:.1f} s")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    through += [f"grown by {grown:,} KiB"] if grown > LARGEST else []
    return counted(
        how_many,
        refused,
        through,
        f"the others were understood; {len(names)} readers; grown by {grown // 1024} MiB; a mutator, no guided fuzzer",
    )
