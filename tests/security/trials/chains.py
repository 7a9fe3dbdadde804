"""S11: the file of a chain is flipped, cut, swapped and told anew by a stranger; whatever is not as it was sealed must be found."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING

from ar_workers.audit.chain import ChainFolder
from ar_workers.audit.verifying import verified
from ar_workers.seals import Seals
from tests.audit.building import CHANGES, moves
from tests.keys import SEALS, Everybody, a_ring
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.security.trials.outcome import Outcome

CUSTOMER = "acme"
#: Of one chain.
LINKS = 1_000


def trial(folder: Path, seed: int, how_many: int) -> Outcome:
    return changed(folder, seed, how_many, SEALS)


def changed(folder: Path, seed: int, how_many: int, seals: Seals) -> Outcome:
    """So many changes of one file, each of the whole as it was sealed. What got through is what these seals find nothing wrong with."""
    chance, ways, through = random.Random(f"chains/{seed}"), Counter[str](), []
    record = _Record(folder, seals)
    assert record.is_whole(), "what nobody has changed is found fault with"
    for _ in range(how_many):
        way = chance.choice([*CHANGES, record.told_anew])
        ways[way.__name__] += 1
        record.change(way, chance)
        if record.is_whole():
            through.append(f"{way.__name__}: nothing was found")
    said = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(ways.items()))
    return counted(how_many, how_many - len(through), through, f"{said}; of {LINKS:,} links")


class _Record:
    """One customer's chain in a folder, as it was sealed, and what somebody without the key makes of it."""

    def __init__(self, folder: Path, seals: Seals) -> None:
        self._folder, self._seals = folder, seals
        self._chains(folder, SEALS)
        (self._file,) = ChainFolder(folder, SEALS).files(CUSTOMER)
        self._anchor = folder / CUSTOMER / "anchor"
        self._whole, self._sealed = self._file.read_bytes(), self._anchor.read_bytes()
        self._strangers = folder / "stranger"

    def is_whole(self) -> bool:
        return not verified(self._folder, CUSTOMER, seals=self._seals).findings

    def change(self, way: Callable[[bytes, random.Random], bytes], chance: random.Random) -> None:
        self._anchor.write_bytes(self._sealed)
        self._file.write_bytes(way(self._whole, chance))

    def told_anew(self, _: bytes, chance: random.Random) -> bytes:
        """Another past, chained as it must be; with the end that is sealed, or the stranger's."""
        customers = self._strangers / f"{chance.getrandbits(64):016x}"
        chains = self._chains(customers, Seals(a_ring(), people=Everybody()), chance.randrange(1, LINKS))
        forged = json.loads((customers / CUSTOMER / "anchor").read_bytes())
        if chance.random() < 0.5:
            forged["seal"] = json.loads(self._sealed)["seal"]
        self._anchor.write_text(json.dumps(forged))
        return chains.files(CUSTOMER)[0].read_bytes()

    @staticmethod
    def _chains(folder: Path, seals: Seals, count: int = LINKS) -> ChainFolder:
        chains = ChainFolder(folder, seals)
        chains.append(CUSTOMER, moves(count))
        return chains
