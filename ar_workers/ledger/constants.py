"""What the ledger's scripts know of states, verbs and windows: said once, in `domain`, and handed to Lua."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.backpressure import BESET
from ..domain.pauses import UNREADABLE
from ..domain.policies import REMIND_AGAIN, REMIND_DAILY
from ..domain.states import FREES_DEPENDENTS, MOVES, TERMINAL, State
from ..domain.verbs import CAP_WINDOWS, CONTAINMENT, GIVING_BACK, UNDOES, VERBS

if TYPE_CHECKING:
    from collections.abc import Iterable


def in_lua() -> list[str]:
    """The constants, a line each."""
    sets: dict[str, Iterable[str]] = {
        "TERMINAL": TERMINAL,
        "FREES": FREES_DEPENDENTS,
        "CLAIMABLE": [state for state in State if State.LEASED in MOVES[state]],
        # What nobody works on, and what is not over, is called off at once.
        "CANCELLABLE": [state for state in State if State.CANCELLED in MOVES[state] and state is not State.LEASED],
        "URGENT": CONTAINMENT,
        "GIVES_BACK": GIVING_BACK,
        "HAS_UNDO": UNDOES.values(),
    }
    lines = [f"local {name} = {{{', '.join(f'{each} = true' for each in sorted(members))}}}" for name, members in sets.items()]
    spans = {"REMIND_AGAIN": REMIND_AGAIN, "REMIND_DAILY": REMIND_DAILY}
    lines += [f"local {name} = {round(span.total_seconds() * 1000)}" for name, span in spans.items()]
    caps = [f"{verb} = '{rule.cap}'" for verb, rule in VERBS.items() if rule.cap]
    windows = [f"{cap} = {round(window.total_seconds() * 1000)}" for cap, window in CAP_WINDOWS.items()]
    pairs = [f"{undo} = '{verb}'" for undo, verb in UNDOES.items()]
    lines += [
        f"local UNDOES = {{{', '.join(pairs)}}}",
        f"local CAP_OF = {{{', '.join(caps)}}}",
        f"local CAP_WINDOWS = {{{', '.join(windows)}}}",
    ]
    return [*lines, f"local BESET = {BESET}", f"local UNREADABLE = '{UNREADABLE}'"]
