"""S4: orders for what is never touched, or only by a person's word, sealed and given to a worker; none may reach the EDR."""

from __future__ import annotations

import random
import re
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ar_workers.domain import vital
from ar_workers.domain.actions import IsolateEndpoint
from ar_workers.domain.endpoints import OS, Role, Vendor
from ar_workers.domain.guards import EMPTY_FILE
from ar_workers.domain.new_rows import EventPlan, action_row
from ar_workers.domain.policies import Policy
from tests.builders import a_delete, a_domain_ban, a_hash_ban, a_key_deletion, a_kill, an_endpoint, sha256
from tests.fakes import KNOWN
from tests.pipeline.building import published
from tests.security.forging import GROUPS, LIFE, Scene
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ar_workers.domain.actions import Action
    from tests.security.trials.outcome import Outcome

    Chance = random.Random
    #: A way to an order, a new one each time; None is no indicator at all, and refused as such.
    Case = Callable[[Chance], Action]

AT_ONCE, PER_SCENE = 50, 1_000
WINDOWS, MAC = (an_endpoint(os.name, agent_id=os.name, os=os) for os in (OS.WINDOWS, OS.MACOS))
PROTECTED = (
    an_endpoint("DC-01", agent_id="p1"),
    an_endpoint("a", agent_id="p2", groups=frozenset({"Remediate", "Domain Controllers"})),
    an_endpoint("b", agent_id="p3", tags=frozenset({"vip"})),
    an_endpoint("c", agent_id="p4", role=Role.DOMAIN_CONTROLLER),
    an_endpoint("VIP-7.corp.acme.example", agent_id="p5"),
)
POLICY = Policy(
    customer="acme",
    remediate_groups=GROUPS,
    isolations_per_hour=10**6,
    isolations_percent_of_group=100,
    bans_per_day=10**6,
    own_domains=frozenset({"corp.acme.example"}),
    never_touch=frozenset(
        {r"C:\Acme Tools", "/opt/acme", "backup.exe", "updates.acme.example", r"HKLM\SOFTWARE\Acme", sha256("acme"), "*.partner.example"}
    ),
    protected_endpoints=frozenset({"DC-01", "VIP-*"}),
    protected_groups=frozenset({"Domain Controllers"}),
    protected_tags=frozenset({"vip"}),
    protected_roles=frozenset({Role.DOMAIN_CONTROLLER}),
)


def trial(_: Path, seed: int, how_many: int) -> Outcome:
    return ordered(seed, how_many)


def ordered(seed: int, how_many: int, **opened: Any) -> Outcome:
    """So many orders, of each kind in turn. What got through is what the EDR was asked for, or what ended neither held nor skipped.

    `opened` are services that know less than they should.
    """
    chance = random.Random(f"never/{seed}")
    cases, through, no_indicator = _in_turn(chance), [], 0
    scene, planned = _a_scene(opened), 0
    for start in range(0, how_many, AT_ONCE):
        if start // PER_SCENE != planned // PER_SCENE:
            scene = _a_scene(opened)
        planned = start
        orders = []
        for _ in range(min(AT_ONCE, how_many - start)):
            try:
                orders.append(next(cases)(chance))
            except ValidationError:
                no_indicator += 1
        through += _given(scene, f"e{start}", orders)
    note = f"{no_indicator:,} of them are no indicators at all; {len(_listed()):,} entries of MISP's lists"
    return counted(how_many, how_many - len(through), through, note)


def _a_scene(opened: dict[str, Any]) -> Scene:
    scene = Scene(POLICY)
    scene.edr.endpoints = {each.agent_id: each for each in (an_endpoint(), WINDOWS, MAC, *PROTECTED)}
    for name, value in opened.items():
        object.__setattr__(scene.services, name, value)
    _check_that_others_are_done(scene)
    return scene


def _check_that_others_are_done(scene: Scene) -> None:
    """Were the worker dead, it would touch nothing."""
    assert _given(scene, "honest", [a_domain_ban("evil.example"), a_kill(WINDOWS)]) != []
    assert len(scene.effects) == 2, scene.effects
    scene.effects.clear()


def _given(scene: Scene, event_id: str, orders: Iterable[Action]) -> list[str]:
    """What became of orders that are sealed and due, where it is not what should."""
    by_id = {row.id: row for row in (action_row(each, "THREAT-1", after=(), life=LIFE) for each in orders)}
    scene.ledger.accept([published(id=event_id)])
    scene.ledger.record([EventPlan(event=published(id=event_id), rows=list(by_id.values()))])
    before = len(scene.effects)
    scene.work(*by_id)
    fates = {name: scene.ledger.row(name) for name in by_id}
    wrong = [f"{fate.label}: {fate.state} {fate.reason}" for fate in fates.values() if fate.state not in {"held", "skipped"}]
    asked = [f"the EDR was asked: {effect}" for effect in scene.effects[before:]]
    return wrong or asked


def _in_turn(chance: Chance) -> Iterator[Case]:
    """A case of each kind in turn, each in an order of chance; for ever."""
    while True:
        kinds = [chance.sample(kind, len(kind)) for kind in _kinds()]
        yield from filter(None, chain.from_iterable(zip_longest(*kinds)))


def _kinds() -> list[list[Case]]:
    return [
        [_domain(name, is_wide=wide) for name, wide in _listed()],
        [_hash_of(digest) for each in KNOWN().hashes for digests in each.digests.values() for digest in digests],
        [_hash(value) for value in sorted(EMPTY_FILE)],
        [_process(name) for name in vital.entries(vital.PROCESSES)],
        [_windows_file(path) for path in vital.entries(vital.WINDOWS_FILES)],
        [_posix_file(path) for path in vital.entries(vital.POSIX_FILES)],
        [_key(key) for key in vital.entries(vital.KEYS)],
        [_key(rf"hklm\system\currentcontrolset\services\{name}") for name in vital.entries(vital.SERVICES)],
        [_on_protected(endpoint) for endpoint in PROTECTED],
        list(OWN),
    ]


def _listed() -> list[tuple[str, bool]]:
    return [each for found in KNOWN().domains for each in found.names.items()]


def _domain(name: str, *, is_wide: bool) -> Case:
    """The listed name, as it is written or with `www.`; where the list means it, what is below."""

    def case(chance: Chance) -> Action:
        text = chance.choice((name, name, name.upper(), f"{name}.", *((f"{_word(chance)}.{name}",) if is_wide else ())))
        return a_domain_ban(text)

    return case


def _hash(value: str) -> Case:
    kind = {32: "md5", 40: "sha1", 64: "sha256"}[len(value)]
    return lambda chance: a_hash_ban(**{kind: chance.choice((value, value.upper()))})


def _hash_of(digest: bytes) -> Case:
    return _hash(digest.hex())


def _process(name: str) -> Case:
    def case(chance: Chance) -> Action:
        text = _cased(chance, _filled(chance, name))
        return a_kill(WINDOWS, image_path=chance.choice((text, rf"C:\Windows\System32\{text}")), sha256=sha256(text))

    return case


def _windows_file(path: str) -> Case:
    def case(chance: Chance) -> Action:
        below = _cased(chance, _filled(chance, path)) + chance.choice(("", rf"\{_word(chance)}.exe"))
        start = chance.choice(("C:", "C:", "c:", "D:", "\\\\?\\C:", r"\Device\HarddiskVolume3", r"\\.\C:"))
        whole = start + below
        whole = chance.choice((whole, whole, whole, whole.replace("\\", "/"), f"{whole}.", f"{whole} "))
        return a_delete(WINDOWS, path=whole)

    return case


def _posix_file(path: str) -> Case:
    def case(chance: Chance) -> Action:
        whole = _filled(chance, path) + chance.choice(("", f"/{_word(chance)}"))
        start = chance.choice(("", "", "/System/Volumes/Data", "/Volumes/Macintosh HD", "/"))
        return a_delete(MAC, path=start + chance.choice((whole, whole.upper())))

    return case


def _key(key: str) -> Case:
    def case(chance: Chance) -> Action:
        text = _filled(chance, key) + chance.choice(("", "", rf"\{_word(chance)}"))
        text = chance.choice((text, re.sub("^hklm", "HKEY_LOCAL_MACHINE", text), re.sub("^hklm", "Computer\\\\HKLM", text)))
        text = text.replace("currentcontrolset", chance.choice(("currentcontrolset", "ControlSet001", "ControlSet003")))
        return a_key_deletion(WINDOWS, key=_cased(chance, text), value=chance.choice((None, None, _word(chance))))

    return case


def _on_protected(endpoint: Any) -> Case:
    def case(chance: Chance) -> Action:
        path = rf"C:\Users\kim\{_word(chance)}.exe"
        isolate = IsolateEndpoint(customer="acme", edr=Vendor.CROWDSTRIKE, endpoint=endpoint)
        return chance.choice((isolate, a_kill(endpoint, image_path=path), a_delete(endpoint, path=path)))

    return case


OWN: tuple[Case, ...] = (
    lambda chance: a_delete(WINDOWS, path=_cased(chance, rf"C:\Acme Tools\{_word(chance)}\x.exe")),
    lambda chance: a_delete(MAC, path=f"/opt/acme/{_word(chance)}"),
    lambda chance: a_delete(WINDOWS, path=rf"D:\{_word(chance)}\{_cased(chance, 'backup.exe')}"),
    lambda chance: a_kill(WINDOWS, image_path=rf"C:\{_word(chance)}\backup.exe"),
    lambda chance: a_key_deletion(WINDOWS, key=_cased(chance, rf"HKLM\SOFTWARE\Acme\{_word(chance)}")),
    lambda chance: a_key_deletion(WINDOWS, key=r"HKLM\SOFTWARE\WOW6432Node\Acme", value=_word(chance)),
    lambda chance: a_domain_ban(f"{_word(chance)}.partner.example"),
    lambda chance: a_domain_ban(f"{_word(chance)}.corp.acme.example"),
    lambda _: a_domain_ban("acme.example"),
    lambda _: a_hash_ban(sha256=sha256("acme")),
    lambda chance: a_kill(WINDOWS, image_path=rf"C:\{_word(chance)}\x.exe", sha256=sha256("acme")),
)


def _word(chance: Chance) -> str:
    return f"{chance.choice('abcxyz')}{chance.randrange(10**6)}"


def _filled(chance: Chance, entry: str) -> str:
    """A name that an entry with `*` stands for."""
    return entry.replace("*", _word(chance))


def _cased(chance: Chance, text: str) -> str:
    return chance.choice((text, text.upper(), text.title(), "".join(chance.choice((each, each.upper())) for each in text)))
