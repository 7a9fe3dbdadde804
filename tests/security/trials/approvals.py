"""S7: approvals of an isolation by who asked for it, by others' words, and by nobody; where two people are needed none may pass."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from ar_workers.domain.people import Decision, PersonRole
from ar_workers.domain.policies import Policy
from ar_workers.domain.seals import about_row
from ar_workers.domain.states import State
from ar_workers.ledger.scripting import prefix
from ar_workers.seals import Seals
from tests.keys import Everybody
from tests.security.forging import GROUPS, Scene, a_long_time_ago
from tests.security.trials.outcome import counted
from tests.security.trials.rows import another_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.security.trials.outcome import Outcome

#: The guard that the ledger asks, and one that the worker asks.
POLICIES = (
    Policy(customer="acme", remediate_groups=GROUPS, isolations_per_hour=0, two_person=True),
    Policy(customer="acme", remediate_groups=GROUPS, protected_endpoints=frozenset({"FIN-1"}), two_person=True),
)
LIFE = timedelta(days=1)
#: A scene grows with what people are told.
PER_SCENE = 500


def trial(_: Path, seed: int, how_many: int) -> Outcome:
    return approved(Scene, seed, how_many)


def approved(a_scene: Callable[[Policy], Scene], seed: int, how_many: int) -> Outcome:
    """So many words on a row that kim has requeued. What got through is what reached the EDR."""
    chance, ways, through = random.Random(f"approvals/{seed}"), Counter[str](), []
    for start in range(0, how_many, PER_SCENE):
        held = _Held(a_scene(POLICIES[start // PER_SCENE % len(POLICIES)]), chance)
        for _ in range(min(PER_SCENE, how_many - start)):
            way = chance.choice(list(WAYS))
            ways[way] += 1
            if effects := held.carried_out(WAYS[way](held)):
                through.append(f"{way}: {effects}")
    said = ", ".join(f"{number:,} {name}" for name, number in sorted(ways.items()))
    return counted(how_many, how_many - len(through), through, said)


class _Held:
    """An isolation that failed, that kim has requeued, and that a guard holds since."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.scene, self.chance = scene, chance
        self.row_id = scene.planned()["isolate"]
        scene.work(self.row_id)
        self.guard = scene.ledger.row(self.row_id).held_by
        scene.redis.srem(f"{prefix('acme')}held", self.row_id)
        scene.written(self.row_id, state="failed")
        scene.ledger.requeue(self.row_id, by="kim", life=LIFE)
        scene.work(self.row_id)
        row = scene.ledger.row(self.row_id)
        assert row.state is State.HELD, row
        self.generation = row.generation
        self._before = scene.redis.hgetall(scene.key(self.row_id))
        self.honest = self.word("lee")
        assert self.carried_out(self.honest), "what somebody else approves is not carried out"

    def word(
        self, by: str, *, row_id: str = "", generation: int = 0, guard: str = "", people: Everybody | None = None, **more: object
    ) -> str:
        seals = Seals(self.scene.ring, people=people or self.scene.people, **more)
        return seals.approval(row_id or self.row_id, generation or self.generation, guard or self.guard, by=by, reason="yes")

    def carried_out(self, words: str) -> list[tuple[str, str]]:
        """What the EDR is asked for once these stand as the row's approvals, whatever else has become of it."""
        key = self.scene.key(self.row_id)
        self.scene.redis.delete(key)
        self.scene.redis.hset(key, mapping=self._before)
        opened = {"approved": f"{self.guard},", "approvals": f"{words}\n"}
        self.scene.written(self.row_id, **opened, state="pending", waits="0", next_at="0", begun="0")
        self.scene.work(self.row_id)
        effects = list(self.scene.effects)
        self.scene.effects.clear()
        self.scene.edr.so.clear()
        return effects

    def viewers(self) -> str:
        """Of somebody who may not, by a key that is known."""
        self.scene.people.roles["sam"] = PersonRole.VIEWER
        admin = Everybody()
        admin.keys["sam"] = self.scene.people.key("sam")
        return self.word("sam", people=admin)


#: How it is tried -> what stands as the row's approvals.
WAYS: dict[str, Callable[[_Held], str]] = {
    "by who asked": lambda held: held.word("kim"),
    "by nobody": lambda _: "",
    "by a stranger": lambda held: held.word("lee", people=Everybody()),
    "by a viewer": _Held.viewers,
    "of another row": lambda held: held.word("lee", row_id=f"acme:isolate:{held.chance.getrandbits(64):016x}"),
    "of another generation": lambda held: held.word("lee", generation=held.chance.choice([1, 3, 7])),
    "of another guard": lambda held: held.word("lee", guard="well_known"),
    "of long ago": lambda held: held.word("lee", now=a_long_time_ago),
    "another decision": lambda held: Seals(held.scene.ring, people=held.scene.people).word(
        Decision.REQUEUE, about_row(held.row_id, held.generation, held.guard), by="lee", reason="yes"
    ),
    "altered": lambda held: another_text(held.chance, held.honest, held.word("kim")),
}
