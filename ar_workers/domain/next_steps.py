"""What a person does next about actions that stopped, with the commands to type: each on a line of its own, to be copied as it is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from .causes import CommonCause, Trouble, cure_of, is_shared, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Of a command line, so that no channel breaks it; beyond so many rows a filter names them.
IDS_A_LINE, MOST_NAMED = 6, 36

_AGAIN = "Then bring it back; the EDR is looked at before it is asked again:"
_UNNAMED = "Which one it is, this shows:"


def when_stopped(rows: Sequence[str], cause: str, customer: str, common: CommonCause | None = None) -> str:
    """What mends the cause, and how the rows come back."""
    if kind_of(cause) is Trouble.TOO_MANY:
        return when_too_many(customer)
    checks = [command("doctor", "--customer", customer)] if is_shared(cause) else []
    named = [row for row in rows if row]
    if not named:
        return "\n".join((cure_of(cause), *checks, *which("failed", customer)))
    if len(named) <= MOST_NAMED or not common:
        return "\n".join((cure_of(cause), *checks, _AGAIN, *requeued(named)))
    verb = ("--verb", common.verb) if common.verb else ()
    those = command("actions", "requeue", "--failed", "--customer", customer, "--edr", common.edr, *verb, "--dry-run")
    return "\n".join((cure_of(cause), *checks, "Then see what comes back, and type the same without --dry-run:", those))


def when_too_many(customer: str) -> str:
    """Held by the blast radius: how all are seen together, and how one word lets them pass or calls them off."""
    return "\n".join(
        (
            "The cap was reached; what is beyond it is held, and told as one. See all of it, then let it pass or call it off:",
            *decided("blast_radius", customer),
        )
    )


def decided(guard: str, customer: str) -> tuple[str, str, str]:
    """The commands that show all that a guard holds of a customer, let it pass, and call it off."""
    those = ("--hold", guard, "--customer", customer)
    why = ("--reason", "WHY")
    return command("holds", *those), command("approve", *those, *why), command("deny", *those, *why)


def which(state: str, customer: str) -> tuple[str, str]:
    """How the row of an event is found that an older version has raised, which does not name it."""
    return _UNNAMED, command("actions", "--state", state, "--customer", customer)


def requeued(rows: Sequence[str]) -> list[str]:
    """The commands that bring rows back."""
    return [command("actions", "requeue", *rows[first : first + IDS_A_LINE]) for first in range(0, len(rows), IDS_A_LINE)]


def command(*words: str) -> str:
    """An `arctl` command, quoted for a shell."""
    return shlex.join(("arctl", *words))
