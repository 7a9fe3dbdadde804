"""S2: rows and events of the ledger are changed, moved, aged and sealed by strangers; none may reach an EDR, and each must be told."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.seals import Role, Sealed, base_name
from ar_workers.ledger.scripting import prefix
from ar_workers.pipeline.respond import respond
from ar_workers.seals import Seals
from tests.builders import an_endpoint, an_isolate
from tests.keys import Everybody, a_ring
from tests.pipeline.building import DOMAIN, HASH, KILL, published
from tests.security.forging import Scene, a_long_time_ago
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.security.trials.outcome import Outcome

    Row = dict[str, str]

SEALED = ("order", "verb", "edr", "lane", "remote", "kind", "threat", "seal")
LETTERS = '0aA=/+ {}":,.\x00\u00e9'
#: A row as it is before a worker takes it, whatever has become of it.
DUE = {"waits": "0", "state": "pending", "next_at": "0"}
#: A scene grows with what people are told; after so many forgeries the next is a new one.
PER_SCENE = 1_000


def another_text(chance: random.Random, text: str, other: str) -> str:
    """The text with another letter, a piece of it, its words in another order, or what stands elsewhere."""
    at, letter = chance.randrange(len(text) + 1), chance.choice(LETTERS)
    words = text.split(" ")
    chance.shuffle(words)
    made = (
        text[:at] + letter + text[at + 1 :],
        text[:at] + letter + text[at:],
        text[:at],
        text[at:],
        " ".join(words),
        other,
        text[:at] + other[at:],
    )
    return chance.choice([each for each in made if each != text] or [text + letter])


def trial(_: Path, seed: int, how_many: int) -> Outcome:
    return forged(Scene, seed, how_many)


def forged(a_scene: Callable[[], Scene], seed: int, how_many: int) -> Outcome:
    """So many forgeries, a tenth of them events. What got through is what reached the EDR, or was not told as a matter of security."""
    chance, through = random.Random(f"rows/{seed}"), []
    for start in range(0, how_many, PER_SCENE):
        forger = Forger(a_scene(), chance)
        through += filter(None, (forger.attempt() for _ in range(min(PER_SCENE, how_many - start))))
    return counted(how_many, how_many - len(through), through, "all set aside as failed, and told")


class Forger:
    """Somebody who may write to the Redis of one scene, and has no key that counts."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.scene, self.chance = scene, chance
        names = scene.planned(published(iocs=(HASH, KILL, DOMAIN))).values()
        self.honest = {name: scene.redis.hgetall(scene.key(name)) for name in names}
        self.events = 0
        self._check_that_the_honest_is_done()
        self.strangers = {
            "a stranger": Seals(a_ring(), people=Everybody()),
            "long ago": Seals(scene.ring, people=scene.people, now=a_long_time_ago),
        }
        for role in (Role.DOOR, Role.AUDIT):
            thief = a_ring()
            thief.own[Role.RESPOND] = scene.ring.own[role]
            self.strangers[role] = Seals(thief, people=Everybody())

    def attempt(self) -> str | None:
        """One forgery; what got through, in words."""
        if self.chance.random() < 0.1:
            return self._event()
        how = self.chance.choices(list(ROW_FORGERIES), (6, 1, 1, 1))[0]
        name, row = ROW_FORGERIES[how](self)
        key = self.scene.key(name)
        self.scene.redis.delete(key)
        self.scene.written(name, **(row | DUE))
        self.scene.work(name)
        state, reason = self.scene.redis.hmget(key, "state", "reason")
        self.scene.redis.delete(key)
        return self._judged(f"{how}: {name} {row}", state, reason)

    def _check_that_the_honest_is_done(self) -> None:
        """Were the scene dead, nothing would get through it."""
        self.scene.work(next(iter(self.honest)))
        assert self._effects(), "what nobody has touched is not carried out"

    def _effects(self) -> list[tuple[str, str]]:
        """What the EDR was asked for since; it forgets it."""
        found = list(self.scene.effects)
        self.scene.effects.clear()
        self.scene.edr.so.clear()
        return found

    def _judged(self, what: str, state: str | None, reason: str | None) -> str | None:
        effects = self._effects()
        is_told = state == "failed" and str(reason).startswith("security: ")
        return None if is_told and not effects else f"{what} -> {state}, {reason}, {effects}"

    def drawn(self) -> tuple[str, Row]:
        """One honest row."""
        name = self.chance.choice(list(self.honest))
        return name, self.honest[name]

    def _event(self) -> str | None:
        self.events += 1
        event_id, customer = f"e{self.events + 1}", "acme"
        self.scene.ledger.accept([published(id=event_id)])
        key = f"{prefix(customer)}event:{event_id}"
        event = self.scene.redis.hgetall(key)
        how = self.chance.choice(list(EVENT_FORGERIES))
        customer, changes = EVENT_FORGERIES[how](self, event, event_id)
        target = f"{prefix(customer)}event:{event_id}"
        self.scene.redis.delete(key)
        self.scene.redis.hset(target, mapping=event | changes)
        respond(self.scene.services, [f"{customer}:event/{event_id}"])
        state, reason = self.scene.redis.hmget(target, "state", "reason")
        return self._judged(f"{how}: {event | changes}", state, reason)


def _field(forger: Forger) -> tuple[str, Row]:
    name, row = forger.drawn()
    field = forger.chance.choice(SEALED)
    other = forger.chance.choice(list(forger.honest.values()))[field]
    return name, row | {field: another_text(forger.chance, row[field], other)}


def _moved(forger: Forger) -> tuple[str, Row]:
    name, row = forger.drawn()
    customer, verb, digest = name.split(":")
    elsewhere = f"{forger.chance.getrandbits(64):016x}"
    return forger.chance.choice([f"globex:{verb}:{digest}", f"{customer}:{verb}:{elsewhere}", f"{customer}:{verb}:{elsewhere}.2"]), row


def _sealed_by_another(forger: Forger) -> tuple[str, Row]:
    name, row = forger.drawn()
    seals = forger.chance.choice(list(forger.strangers.values()))
    return name, row | {"seal": _seal_of(seals, name, row)}


def _another_order(forger: Forger) -> tuple[str, Row]:
    """An isolation of an endpoint that nobody has named, sealed by whoever."""
    name, row = next((name, row) for name, row in forger.honest.items() if row["verb"] == "isolate")
    agent = f"a{forger.chance.randrange(3, 10**6)}"
    order = an_isolate(an_endpoint(agent, edr=Vendor.CROWDSTRIKE, agent_id=agent)).model_dump_json()
    made = row | {"order": order, "lane": forger.chance.choice([f"crowdstrike/{agent}", row["lane"]])}
    seals = forger.chance.choice([None, *forger.strangers.values()])
    return name, made | ({"seal": _seal_of(seals, name, made)} if seals else {})


def _seal_of(seals: Seals, name: str, row: Mapping[str, str]) -> str:
    customer = name.partition(":")[0]
    said = (row["kind"], row["verb"], row["edr"], row["lane"], row["remote"], row["order"])
    return seals.plans([("e1", Sealed(customer, row["threat"], base_name(name), *said))])[0]


#: How -> the id under which a row is written, and the row.
ROW_FORGERIES: dict[str, Callable[[Forger], tuple[str, Row]]] = {
    "a field changed": _field,
    "moved": _moved,
    "sealed by another": _sealed_by_another,
    "another order": _another_order,
}


def _changed_event(forger: Forger, event: Row, _: str) -> tuple[str, Row]:
    field = forger.chance.choice(("json", "seal"))
    return "acme", {field: another_text(forger.chance, event[field], forger.chance.choice(list(forger.honest.values()))["seal"])}


def _moved_event(forger: Forger, event: Row, _: str) -> tuple[str, Row]:
    return "globex", {"json": forger.chance.choice([event["json"], event["json"].replace('"acme"', '"globex"')])}


def _strangers_event(forger: Forger, event: Row, event_id: str) -> tuple[str, Row]:
    text = event["json"].replace("FIN-1", f"FIN-{forger.chance.randrange(2, 100)}")
    seals = forger.chance.choice([forger.strangers["a stranger"], forger.strangers["long ago"]])
    return "acme", {"json": text, "seal": seals.events([("acme", event_id, text)])[0]}


#: How -> the customer under whom an event is written, and what of it is another.
EVENT_FORGERIES: dict[str, Callable[[Forger, Row, str], tuple[str, Row]]] = {
    "an event changed": _changed_event,
    "an event moved": _moved_event,
    "an event sealed by another": _strangers_event,
    "an event without a seal": lambda *_: ("acme", {"seal": ""}),
}
