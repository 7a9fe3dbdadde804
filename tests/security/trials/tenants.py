"""S8: customers' files and secrets change, break and go while their EDRs are called; no request bears another's credential or id, or goes to
another's address.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ar_workers.bootstrap import LOOK_AGAIN_AFTER, Live
from ar_workers.cli.redis_server import RedisServer
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import ARError
from ar_workers.domain.facts import Fact, Sight
from ar_workers.simulator.server import Reply, Request, Server, json_reply
from tests.builders import an_action, an_endpoint
from tests.keys import FOLDER
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ar_workers.pipeline.services import Services
    from tests.security.trials.outcome import Outcome

    Key = tuple[str, Vendor]
    #: What is called for an action of a customer at a vendor: as `execute` finds it.
    Choose = Callable[[Services, Key], Any]

CUSTOMERS = ("acme", "globex", "initech")
#: Vendor -> the keys of its section, but for its addresses; SECRET is the secret's reference.
SECTIONS = {
    Vendor.CROWDSTRIKE: 'client_id = "the-client"\nclient_secret = SECRET',
    Vendor.DEFENDER: 'tenant_id = "abcdefab-1234-4123-8123-abcdefabcdef"\nclient_id = "env:{NAME}_ID"\nclient_secret = SECRET\nlogin_url = "{url}"',
    Vendor.SENTINELONE: 'api_token = SECRET\nscope = "account"\naccount_id = "7"\nscripts = {{windows = "1", macos = "2"}}',
    Vendor.CARBON_BLACK_CLOUD: 'org_key = "ABCD1234"\napi_id = "THEKEYID"\napi_secret_key = SECRET\npatience = 0.01',
    Vendor.CARBON_BLACK_EDR: "token = SECRET\npatience = 0.0",
    Vendor.CORTEX_XDR: 'auth_id = 7\napi_key = SECRET\nsecurity_level = "standard"\npatience = 0.0',
}
_SECRET = re.compile(r"secret-([a-z]+)-([a-z_]+)-v(\d+)")
_AGENT = re.compile(r"([123])\1{6,}")
#: Digits of an endpoint's id, as the vendor has them.
LENGTHS = {Vendor.DEFENDER: 40, Vendor.CARBON_BLACK_CLOUD: 8, Vendor.CARBON_BLACK_EDR: 8, Vendor.SENTINELONE: 18}
VERBS = ("isolate", "release", "ban_hash", "kill_process", "delete_file")
CALLS_PER_ROUND, THREADS = 60, 4


def agent_of(key: Key) -> str:
    """An endpoint's id that says whose it is: a digit, many times."""
    return str(CUSTOMERS.index(key[0]) + 1) * LENGTHS.get(key[1], 32)


@dataclass
class Site:
    """The one place to which a customer's credential for a vendor may go. It keeps what was wrong with a request."""

    key: Key
    versions: set[int] = field(default_factory=lambda: {1})
    heard: int = 0
    wrong: list[str] = field(default_factory=list)
    vendor: str = "site"

    def tenant_of(self, _: Request) -> str:
        return ""

    def answer(self, request: Request) -> Reply:
        text = " ".join((request.path, str(request.query), str(dict(request.headers)), request.body.decode("utf-8", "replace")))
        secrets = [(name, vendor, int(version)) for name, vendor, version in _SECRET.findall(text)]
        agents = {CUSTOMERS[int(digit) - 1] for digit in _AGENT.findall(text)}
        self.heard += 1
        if not secrets or any((name, vendor) != self.key or version not in self.versions for name, vendor, version in secrets):
            self.wrong.append(f"at {self.key} {sorted(self.versions)}: {request.method} {request.path} bears {secrets or 'no credential'}")
        if agents - {self.key[0]}:
            self.wrong.append(f"at {self.key}: {request.method} {request.path} is about an endpoint of {sorted(agents)}")
        if "token" in request.path:
            token = "secret-{}-{}-v{}".format(*secrets[0]) if secrets else "none"
            return json_reply(201, {"access_token": f"{token}.token", "expires_in": 1799, "token_type": "bearer"})
        return json_reply(404, {})


class Place:
    """The folder of customers' files and secrets, in which things change, and the world's clock."""

    def __init__(self, folder: Path, urls: dict[Key, str], redis_url: str) -> None:
        self._urls, self._customers, self._secrets = urls, folder / "customers", folder / "secrets"
        self._customers.mkdir()
        self._secrets.mkdir()
        self.passed = 0.0
        self.environ = {"AR_REDIS_URL": redis_url, "AR_CUSTOMERS": str(self._customers), "AR_HOME": str(folder), "AR_KEYS": str(FOLDER)}
        for key in urls:
            self.environ[f"{_variable(key)}_FILE"] = str(self._secret(key))
            self.environ[f"{key[0].upper()}_ID"] = "the-client"
            self.rotate(key, 1)
        for name in CUSTOMERS:
            self.write(name)

    def _secret(self, key: Key) -> Path:
        return self._secrets / f"{key[0]}-{key[1]}"

    def rotate(self, key: Key, version: int) -> None:
        self._secret(key).write_text(f"secret-{key[0]}-{key[1]}-v{version}")
        self._secret(key).chmod(0o600)

    def lose(self, key: Key) -> None:
        self._secret(key).unlink()

    def bare(self, key: Key) -> None:
        self._secret(key).chmod(0o644)

    def write(self, name: str, **swapped: str) -> None:
        """The customer's file; `swapped` names another variable for a vendor's secret."""
        sections = []
        for vendor, keys in SECTIONS.items():
            secret = f'"env:{swapped.get(vendor, _variable((name, vendor)))}"'
            url = self._urls[name, vendor]
            filled = keys.format(NAME=name.upper(), url=url).replace("SECRET", secret)
            sections.append(f'[edr.{vendor}]\nbase_url = "{url}"\nremediate_groups = ["R"]\n{filled}\n')
        (self._customers / f"{name}.toml").write_text("\n".join(sections))

    def remove(self, name: str) -> None:
        (self._customers / f"{name}.toml").unlink(missing_ok=True)

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> float:
        return time.time() + self.passed


def _variable(key: Key) -> str:
    return f"{key[0]}_{key[1]}_SECRET".upper()


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    return called(lambda services, key: services.edrs.get(key), folder, seed, how_many)


def called(choose: Choose, folder: Path, seed: int, how_many: int) -> Outcome:
    """Rounds of a change and many calls by several threads, until so many requests have come."""
    chance = random.Random(f"tenants/{seed}")
    sites = {(name, vendor): Site((name, vendor)) for name in CUSTOMERS for vendor in SECTIONS}
    servers = {key: Server(site) for key, site in sites.items()}
    for server in servers.values():
        server.start()
    changes = 0
    try:
        with RedisServer(folder / "redis", fsync="no") as redis, ThreadPoolExecutor(THREADS) as pool:
            place = Place(folder, {key: server.url for key, server in servers.items()}, redis.url)
            live = Live(place.environ, monotonic=place.monotonic, now=place.now)
            while sum(site.heard for site in sites.values()) < how_many:
                services = _changed(chance, place, live, sites)
                changes += 1
                services.ledger._redis.flushall()  # else the vendors' allowances would soon be used up
                keys = chance.choices(list(sites), k=CALLS_PER_ROUND)
                drawn = [(key, chance.randrange(2**32)) for key in keys]
                list(pool.map(lambda each, services=services: _call(choose(services, each[0]), each[0], random.Random(each[1])), drawn))
    finally:
        for server in servers.values():
            server.stop()
    heard, through = sum(site.heard for site in sites.values()), [each for site in sites.values() for each in site.wrong]
    assert all(site.heard for site in sites.values()) or heard < 20 * len(sites), "some were never called"
    return counted(heard, 0, through, f"{len(sites)} sites of {len(CUSTOMERS)} customers, {changes:,} changes of files and secrets")


def _changed(chance: random.Random, place: Place, live: Live, sites: dict[Key, Site]) -> Services:
    """One thing changes, and the files are looked at until they hold, or are refused; then it is put right again if it was a mishap."""
    key, version = chance.choice(list(sites)), max(max(site.versions) for site in sites.values()) + 1
    other = chance.choice([each for each in CUSTOMERS if each != key[0]])
    match chance.choice(("rotate", "rotate", "lose", "bare", "foreign", "remove")):
        case "rotate":
            place.rotate(key, version)
            sites[key].versions = {version}
        case "lose":
            place.lose(key)
        case "bare":
            place.bare(key)
        case "foreign":
            place.write(key[0], **{key[1]: _variable((other, key[1]))})
        case "remove":
            place.remove(key[0])
    services = _read_again(place, live)
    for name in CUSTOMERS:
        place.write(name)
    place.rotate(key, max(sites[key].versions))
    return services


def _read_again(place: Place, live: Live) -> Services:
    for _ in range(3):
        place.passed += LOOK_AGAIN_AFTER + 1
        services = live.services()
    return services


def _call(edr: Any, key: Key, chance: random.Random) -> None:
    """One call as a visit makes it. Whatever the answer, it was a call."""
    if edr is None:
        return
    agent = agent_of(key)
    action = an_action(chance.choice(VERBS), an_endpoint(key[0], edr=key[1], agent_id=agent)).model_copy(update={"customer": key[0]})
    how = chance.choice(
        (lambda: edr.endpoint(agent), lambda: edr.observe(action, None), lambda: edr.perform(action, Fact(sight=Sight.ABSENT)))
    )
    with contextlib.suppress(ARError, json.JSONDecodeError):
        how()
