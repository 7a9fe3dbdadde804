"""What a person does next about actions that stopped, with the commands to type: each on a line of its own, to be copied as it is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .causes import CommonCause, cure_of, is_shared
from .guards import Guard

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Of a command line, so that no channel breaks it; beyond so many rows a filter names them.
IDS_A_LINE, MOST_NAMED = 6, 36

_HELD = {
    Guard.PROTECTED: "The endpoint is on the customer's list of protected ones. If it is to be done all the same, let it pass:",
    Guard.BLAST_RADIUS: "More isolations in an hour than the customer's isolations_per_hour. If this one is wanted, let it pass:",
    Guard.IN_DOUBT: "See in the EDR's console whether somebody has released the endpoint. If it is still to be isolated, let it pass:",
}
_HELD_BY_OTHER = "If it is to be done all the same, let it pass:"
_PASSES = "That opens this one guard for this one action, which is then done. If it is not to be done, leave it as it is."
_AGAIN = "Then bring it back; the EDR is looked at before it is asked again:"
_UNNAMED = "Which one it is, this shows:"


def when_held(row: str, guard: str, customer: str) -> str:
    """Held by a guard: what is to be decided, and how."""
    why = _HELD[Guard(guard)] if guard in set(Guard) else _HELD_BY_OTHER
    if row:
        return "\n".join((why, *requeued([row]), _PASSES))
    return "\n".join((_UNNAMED, command("actions", "--state", "held", "--customer", customer)))


def when_failed(rows: Sequence[str], cause: str, customer: str, common: CommonCause | None = None) -> str:
    """Failed: what mends the cause, and how the rows come back."""
    checks = [command("doctor", "--customer", customer)] if is_shared(cause) else []
    named = [row for row in rows if row]
    if not named:
        return "\n".join((cure_of(cause), *checks, _UNNAMED, command("actions", "--state", "failed", "--customer", customer)))
    if len(named) <= MOST_NAMED or not common:
        return "\n".join((cure_of(cause), *checks, _AGAIN, *requeued(named)))
    verb = ("--verb", common.verb) if common.verb else ()
    those = command("actions", "requeue", "--failed", "--customer", customer, "--edr", common.edr, *verb, "--dry-run")
    return "\n".join((cure_of(cause), *checks, "Then see what comes back, and type the same without --dry-run:", those))


def requeued(rows: Sequence[str]) -> list[str]:
    """The commands that bring rows back."""
    return [command("actions", "requeue", *rows[first : first + IDS_A_LINE]) for first in range(0, len(rows), IDS_A_LINE)]


def command(*words: str) -> str:
    """An `arctl` command, quoted for a shell."""
    return shlex.join(("arctl", *words))
