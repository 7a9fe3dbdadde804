"""What everything must know of a verb, in one table: the pipeline, the ledger's scripts, the commands.

A verb that is added to `actions` gets its line here; what it does at an EDR is said by the adapters' marks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from .canvas import Queue

#: How long an intent is kept. An offline endpoint may be away for days; CrowdStrike's shell itself keeps a command for seven.
_CONTAINMENT_LIFE, _LIFE = timedelta(days=7), timedelta(days=3)


class Cap(StrEnum):
    """What is counted per customer, so that no feed and no fault reaches everything at once."""

    ISOLATIONS = "isolations"
    BANS = "bans"


#: The time in which a cap counts: any hour, any day.
CAP_WINDOWS = {Cap.ISOLATIONS: timedelta(hours=1), Cap.BANS: timedelta(days=1)}


@dataclass(frozen=True, kw_only=True)
class VerbRule:
    """`queue` is where it is rung, `life` how long it is tried before it fails loudly.

    On one endpoint each `step` waits for the ones before it to be submitted or settled: cut it off, end the process, and only then
    take away its file and what starts it again. What has none (bans are tenant-wide) waits for nothing.
    What `is_containment` moves an endpoint off the network or back: it goes before everything else, and when it stops, a person is told
    of it alone. `undo` is the verb that takes it back; one that only takes back `gives_back`: no kill switch and no closed threat keeps
    it, and it may be asked for any number of times. What has neither says in `no_undo` why. `cap` is what it counts against.
    """

    queue: Queue = Queue.IOC
    life: timedelta = _LIFE
    step: int | None = None
    is_containment: bool = False
    undo: str | None = None
    no_undo: str = ""
    gives_back: bool = False
    cap: Cap | None = None


VERBS: dict[str, VerbRule] = {
    "isolate": VerbRule(queue=Queue.ISOLATION, life=_CONTAINMENT_LIFE, step=0, is_containment=True, undo="release", cap=Cap.ISOLATIONS),
    "release": VerbRule(queue=Queue.ISOLATION, life=_CONTAINMENT_LIFE, is_containment=True, gives_back=True),
    "ban_hash": VerbRule(undo="unban_hash", cap=Cap.BANS),
    "unban_hash": VerbRule(gives_back=True),
    "ban_domain": VerbRule(undo="unban_domain", cap=Cap.BANS),
    "unban_domain": VerbRule(gives_back=True),
    "kill_process": VerbRule(step=1, no_undo="a process that was ended cannot be brought back: start its program again"),
    "delete_file": VerbRule(step=2, no_undo="a deleted file cannot be brought back: restore it from a backup"),
    "quarantine_file": VerbRule(step=2, undo="unquarantine_file"),
    "unquarantine_file": VerbRule(gives_back=True),
    "delete_registry_key": VerbRule(step=2, no_undo="a deleted registry key cannot be brought back: restore it from a backup"),
}

#: Off the network, or back on it.
CONTAINMENT = frozenset(verb for verb, each in VERBS.items() if each.is_containment)
#: Never held back.
GIVING_BACK = frozenset(verb for verb, each in VERBS.items() if each.gives_back)
#: Undo -> what it takes back.
UNDOES = {each.undo: verb for verb, each in VERBS.items() if each.undo}
