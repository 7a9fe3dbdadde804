"""S10: vendors and providers fail in every way, and repeat in their answers whatever they were sent; no credential is found anywhere after."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import random
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ar_workers.bootstrap import build
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.errors import ARError
from ar_workers.domain.facts import Fact, Sight
from ar_workers.domain.indicators import IOC, Domain, FileHash, Process
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from ar_workers.settings import load_settings
from ar_workers.simulator import Fault, Simulation
from ar_workers.simulator.server import Reply, Request, Server
from tests.builders import an_action, an_endpoint, sha256
from tests.channels.rigs import RIGS as CHANNELS
from tests.channels.rigs import a_world
from tests.fakes import InlineDoorbell
from tests.pipeline.building import published
from tests.security.trials.outcome import counted
from tests.security.trials.tenants import CUSTOMERS, SECTIONS, VERBS, Place, agent_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ar_workers.pipeline.services import Services
    from tests.security.trials.outcome import Outcome
    from tests.security.trials.tenants import Key

TOKEN = "canary-access-token"
STATUSES = (200, 201, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 308)
#: One of so many is a message to a receiver, and one an order that goes all the way through the ledger.
MESSAGES, ORDERS = 4, 10


class Echo:
    """Answers with any status, in any vendor's words for a refusal, and repeats all that it was sent. What it gives as a token is secret."""

    vendor = "echo"

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def tenant_of(self, _: Request) -> str:
        return ""

    def answer(self, request: Request) -> Reply:
        if "token" in request.path and self._chance.random() < 0.8:
            return self._reply(201, {"access_token": TOKEN, "expires_in": 1799, "token_type": "bearer"})
        said = f"cannot {request.path} {dict(request.query)} {dict(request.headers)} {request.body.decode('utf-8', 'replace')}"
        status = self._chance.choice(STATUSES)
        if self._chance.random() < 0.2:
            return Reply(status, f"<html>{said}</html>".encode())
        words = (
            {"errors": [{"code": status, "message": said}], "resources": [], "meta": {}},
            {"errors": [{"code": status, "title": said, "detail": said}]},
            {"error": {"code": "BadRequest", "message": said}},
            {"error": "invalid_client", "error_description": said},
            {"message": said, "error_code": said},
            {"reply": {"err_code": status, "err_msg": said, "err_extra": said}},
            said,
        )
        return self._reply(status, self._chance.choice(words))

    @staticmethod
    def _reply(status: int, document: Any) -> Reply:
        return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def forms(secret: str) -> set[str]:
    """The secret as somebody could write it down: as it is, in an address, in hexadecimal, and within any base64."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), raw.hex(), raw.hex().upper(), secret[::-1]}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw).decode()
        middle = text[4 if shift else 0 : -4]  # what does not depend on its neighbours
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return found


class Watch:
    """All that is written, told or kept, held against the secrets."""

    def __init__(self, secrets: list[str]) -> None:
        self._forms = {form: secret for secret in secrets for form in forms(secret)}
        self._log = io.StringIO()
        self.bytes, self.hits, self.secrets = 0, [], len(secrets)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """To our logs in full, and to those of libraries from INFO on, as workers write them; that of the pretend relay is not ours."""
        handler, root = logging.StreamHandler(self._log), logging.getLogger()
        handler.addFilter(lambda record: record.name != "mail.log" and (record.name.startswith("ar_") or record.levelno >= logging.INFO))
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(before)

    def look(self, what: str, text: str = "") -> None:
        """At the text, and at what was logged since the last look."""
        text += self._log.getvalue()
        self._log.seek(0)
        self._log.truncate()
        self.bytes += len(text)
        self.hits += [f"{what}: {secret} as {form}: ...{_around(text, form)}..." for form, secret in self._forms.items() if form in text]


def _around(text: str, form: str) -> str:
    at = text.index(form)
    return text[max(0, at - 60) : at + len(form) + 20].replace("\n", " ")


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    return told(lambda edr: edr, folder, seed, how_many)


def told(wrapped: Callable[[Any], Any], folder: Path, seed: int, how_many: int) -> Outcome:
    """So many calls and messages. `wrapped` makes of each EDR what is called."""
    chance = random.Random(f"canaries/{seed}")
    server = Server(Echo(chance))
    server.start()
    try:
        with RedisServer(folder / "redis", fsync="no") as redis, Simulation(a_world()) as simulation:
            keys = [(name, vendor) for name in CUSTOMERS for vendor in SECTIONS]
            place = Place(folder, dict.fromkeys(keys, server.url), redis.url)
            rigs = [make(simulation) for make in CHANNELS.values()]
            secrets = [f"secret-{name}-{vendor}-v1" for name, vendor in keys]
            watch = Watch([*secrets, TOKEN, *sorted({each for rig in rigs for each in rig.secrets})])
            with watch.listening():
                services = build(load_settings(place.environ))
                object.__setattr__(services, "edrs", {key: wrapped(edr) for key, edr in services.edrs.items()})
                object.__setattr__(services, "doorbell", InlineDoorbell())
                watch.look("repr", repr(services) + repr([vars(each) for each in services.edrs.values()]))
                for number in range(how_many):
                    if number % MESSAGES == 0:
                        _send(chance, watch, simulation, chance.choice(rigs))
                    elif number % ORDERS == 1:
                        _order(watch, services, chance.choice(keys), number)
                    else:
                        _call(chance, watch, services, chance.choice(keys))
            watch.look("Redis", _dump(services.ledger._redis))
    finally:
        server.stop()
    note = f"{watch.secrets} secrets looked for in {watch.bytes / 2**20:.1f} MiB of logs, errors, tracebacks, rows and all of Redis"
    return counted(how_many, 0, watch.hits, note)


def _call(chance: random.Random, watch: Watch, services: Services, key: Key) -> None:
    edr, agent = services.edrs[key], agent_of(key)
    action = an_action(chance.choice(VERBS), an_endpoint(key[0], edr=key[1], agent_id=agent)).model_copy(update={"customer": key[0]})
    calls = (lambda: edr.endpoint(agent), lambda: edr.observe(action, None), lambda: edr.perform(action, Fact(sight=Sight.ABSENT)))
    try:
        said = repr(chance.choice(calls)())
    except ARError as error:
        said = f"{error} {error!r} {vars(error)} {''.join(traceback.format_exception(error, chain=True))}"
    watch.look(f"call of {key}", said)


def _order(watch: Watch, services: Services, key: Key, number: int) -> None:
    """A threat on one endpoint is planned, carried out as far as it goes, and shown."""
    agent = agent_of(key)
    iocs = tuple(
        IOC(indicator=each, confirmed_malicious=True, safe_to_act=True, agent_id=whose)
        for each, whose in (
            (FileHash(sha256=sha256(str(number))), None),
            (Domain(domain=f"evil{number}.example"), None),
            (Process(pid=4711, sha256=sha256("x")), agent),
        )
    )
    threat = published().threat.model_copy(update={"id": f"T-{number}"})
    endpoint = an_endpoint(f"PC-{number}", edr=key[1], agent_id=agent, groups=frozenset({"R"}))
    services.ledger.accept([published(id=f"e{number}", customer=key[0], threat=threat, endpoints=(endpoint,), iocs=iocs)])
    respond(services, [f"{key[0]}:event/e{number}"])
    for row in services.ledger.rows(key[0], threat.id):
        if row.kind == "action":
            execute(services, [row.id])
    watch.look("rows", "".join(row.model_dump_json() for row in services.ledger.rows(key[0], threat.id)))


def _send(chance: random.Random, watch: Watch, simulation: Simulation, rig: Any) -> None:
    """A message whose provider repeats the secrets in its answer, or answers as it should."""
    simulation.faults.clear()
    if chance.random() < 0.8:
        said = " ".join(rig.secrets)
        body = chance.choice((json.dumps({"ok": False, "error": said, "message": said, "code": 20003}), f"<html>{said}</html>", said))
        headers = {"Retry-After": "1"} if chance.random() < 0.5 else {"Location": f"https://127.0.0.1:1/{said.split()[0]}"}
        simulation.faults.add(Fault(action="reply", status=chance.choice(STATUSES[2:]), body=body, headers=headers))
    try:
        shown = repr(rig.channel.send(rig.delivery, f"acme:x:{chance.getrandbits(32):x}"))
    except ARError as error:
        shown = f"{error!r} {''.join(traceback.format_exception(error, chain=True))}"
    watch.look(f"message by {type(rig.channel).__name__}", shown + repr(rig.channel))


def _dump(client: Any) -> str:
    """Every key with all that is in it."""
    readers = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1),
    }
    return "\n".join(f"{key} {readers[client.type(key)](key)}" for key in client.scan_iter("*"))
