"""Who may decide what: people, their roles, and the one table of which role may say what. No keys here, and no I/O."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import StringConstraints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: As it is recorded with all that the person decides: a blank or a quote in it would be read as something else somewhere.
PersonName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]


class PersonRole(StrEnum):
    """Who a person is to the service: each may what those before it may."""

    #: Looks.
    VIEWER = "viewer"
    #: Works on what is open: brings back what failed, gives an endpoint its network back, stops everything.
    RESPONDER = "responder"
    #: Lets what is held pass a guard, or calls it off; opens what somebody has stopped.
    APPROVER = "approver"
    #: Everything.
    ADMIN = "admin"


class Decision(StrEnum):
    """What a person says, and signs."""

    ACKNOWLEDGE = "acknowledge"
    APPROVE = "approve"
    DENY = "deny"
    PAUSE = "pause"
    RELEASE = "release"
    REQUEUE = "requeue"
    RESOLVE = "resolve"
    RESUME = "resume"
    UNDO = "undo"


#: The least role that may. What stops or gives back is the responders'; what lets more happen than the guards would is the approvers'.
LEAST: dict[Decision, PersonRole] = {
    Decision.ACKNOWLEDGE: PersonRole.RESPONDER,
    Decision.PAUSE: PersonRole.RESPONDER,
    Decision.RELEASE: PersonRole.RESPONDER,
    Decision.REQUEUE: PersonRole.RESPONDER,
    Decision.RESOLVE: PersonRole.RESPONDER,
    Decision.APPROVE: PersonRole.APPROVER,
    Decision.DENY: PersonRole.APPROVER,
    Decision.RESUME: PersonRole.APPROVER,
    Decision.UNDO: PersonRole.APPROVER,
}
_RANKS = {role: rank for rank, role in enumerate(PersonRole)}


class Person(NamedTuple):
    """Somebody whose key is known, by the name that stands with what they decide."""

    name: str
    role: PersonRole
    key_id: str


def may(role: PersonRole, decision: Decision) -> bool:
    """Whether somebody of this role may say this."""
    return _RANKS[role] >= _RANKS[LEAST[decision]]


def decisions_of(role: PersonRole) -> list[Decision]:
    """All that somebody of this role may say."""
    return [each for each in Decision if may(role, each)]


def refusal(person: Person, decision: Decision, everybody: Iterable[Person]) -> str:
    """Why this person may not say this, and who may; nothing if they may."""
    if may(person.role, decision):
        return ""
    roles = " and ".join(role for role in PersonRole if may(role, decision))
    names = sorted(each.name for each in everybody if may(each.role, decision))
    return f"{person.name} is {person.role}, and may not {decision}: {roles} may ({', '.join(names) or 'nobody is one'})"


def alone(approver: str, asked_by: str | None) -> str:
    """Why an approval is not by two people: of who asked (nobody but a source, if empty) and who approved. Nothing if it is.

    None is somebody of whom nobody can tell who it was.
    """
    if not approver:
        return "nobody can tell who approved it: approve it again"
    if asked_by is None:
        return "nobody can tell who asked for it again: deny it, and publish the threat again, as an event with another id"
    return f"{approver} has asked for it and cannot approve it, too: somebody else must" if approver == asked_by else ""


def alone_on(approved_by: Mapping[str, str], asked_by: str | None) -> tuple[str, str] | None:
    """The first guard that was not opened by two people, and why not."""
    found = ((guard, alone(approver, asked_by)) for guard, approver in sorted(approved_by.items()))
    return next(((guard, why) for guard, why in found if why), None)
