"""S3: texts that a shell may read something into, in every command of every vendor: one argument that is just the text, or refused."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ar_workers.domain.endpoints import OS
from tests.edr import quoting
from tests.edr.rigs.carbon_black_cloud import carbon_black_cloud
from tests.security.trials.outcome import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.security.trials.outcome import Outcome

    Oracle = Callable[[str], bool]

WORDS = (
    ";calc", "&&calc", "|calc", "$(calc)", "`calc`", '"&calc&"', "' -or '", "\\\\evil\\x", "..\\..\\", "%COMSPEC%", "$env:TEMP", "\r\nkill 4", "\n", "\x00",
    "--", "-rf", "/c", "^", '\\"', '""', "\u2028", "\u202e", "\uff02", "\u201c", "C:\\", "{0}", "${IFS}", "\ud800", "x" * 300,
)  # fmt: skip


def _texts(chance: random.Random) -> str:
    """Letters and signs of chance, words that mean something somewhere, or both."""
    letters = "".join(chance.choices(quoting.ALPHABET, k=chance.randint(1, 40)))
    anything = "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x2100), chance.randrange(0x110000)))) for _ in range(8))
    words = " ".join(chance.choices(WORDS, k=chance.randint(1, 3)))
    return chance.choice((letters, letters, letters + words, words + letters, words, anything, f"evil{chance.randrange(100)}.exe{words}"))


#: By the vendor's command.
ORACLES: Mapping[str, Oracle] = {
    "CrowdStrike rm": quoting.crowdstrike,
    "CrowdStrike kill": lambda text: quoting.crowdstrike(text, "kill"),
    "CrowdStrike ls": lambda text: quoting.crowdstrike(text, "ls"),
    "CrowdStrike reg delete": lambda text: quoting.crowdstrike(text, "reg delete"),
    "CrowdStrike reg query": lambda text: quoting.crowdstrike(text, "reg query"),
    "SentinelOne delete, Windows": quoting.sentinelone,
    "SentinelOne delete, macOS": lambda text: quoting.sentinelone(text, OS.MACOS),
    "SentinelOne kill": lambda text: quoting.sentinelone(text, verb="kill_process"),
    "SentinelOne registry": lambda text: quoting.sentinelone(text, verb="delete_registry_key"),
    "Cortex XDR": lambda text: quoting.cortex_xdr(text, text[::-1]),
    "Defender": lambda text: quoting.defender(text, text[::-1]),
    "Carbon Black EDR delete": quoting.carbon_black_edr,
    "Carbon Black EDR registry": quoting.carbon_black_edr_value,
}
#: One of so many is asked of a twin of Carbon Black Cloud, over HTTP.
ASKED = 20


def trial(_: Path, seed: int, how_many: int) -> Outcome:
    return quoted(ORACLES, seed, how_many)


def quoted(oracles: Mapping[str, Oracle], seed: int, how_many: int) -> Outcome:
    """So many texts, each to one command in turn."""
    chance = random.Random(f"quoting/{seed}")
    names, through, refused = list(oracles), [], 0
    with carbon_black_cloud() as rig:
        seen = rig.adapter.observe(rig.action("delete_file"), None)
        for number in range(how_many):
            rig.simulation.journal._entries.clear()
            text = _texts(chance)
            name = "Carbon Black Cloud" if number % ASKED == 0 else names[number % len(names)]
            try:
                taken = oracles[name](text) if name in oracles else quoting.carbon_black_cloud(text, rig, seen)
                refused += not taken
            except UnicodeEncodeError:
                refused += 1  # half a character, which nothing can send
            except Exception as fault:
                through.append(f"{name}: {text!r}: {type(fault).__name__} {fault}")
    return counted(how_many, refused, through, f"the others arrived whole, as one argument; {len(oracles) + 1} commands of 6 vendors")
