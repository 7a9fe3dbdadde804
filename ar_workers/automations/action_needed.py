"""Action needed: an action failed for good, or a guard holds it, and only a person can go on (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.causes import CommonCause, in_words, is_shared, of_the_day, too_many
from ..domain.guards import Guard
from ..domain.next_steps import requeued, when_stopped, which
from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.text import spoken, whole
from ..domain.verbs import CONTAINMENT, VERBS

if TYPE_CHECKING:
    from ..domain.events import ActionStopped
    from ..domain.holds import HoldTerms
    from .context import Context

_HELD = {
    Guard.PROTECTED: "The endpoint is on the customer's list of protected ones. If it is to be done all the same, let it pass:",
    Guard.WELL_KNOWN: "Many use it honestly, or it is the customer's own: this could do harm everywhere. If it is right, let it pass:",
    Guard.IN_DOUBT: "See in the EDR's console whether somebody has released the endpoint. If it is still to be isolated, let it pass:",
}
_HELD_BY_OTHER = "If it is to be done all the same, let it pass:"
_PASSES = "That opens this one guard for this one action, which is then done. If it is not to be done, `arctl deny` calls it off."


def plan(event: ActionStopped, context: Context) -> Plan:
    """Tell the TREs, with the command to type, and those of the customer's receivers whose routes ask for it.

    What the kill switch holds is told to nobody: whoever closed it knows. What fails for a cause that stops others as well (a
    permission, a credential) is told with that cause, for all of them together.
    """
    return Plan(notifications=tuple(_told(event, audience, context.policy.hold_terms) for audience in Audience))


def _told(event: ActionStopped, audience: Audience, terms: HoldTerms) -> Notification:
    what = f"{event.verb.replace('_', ' ')} {event.subject}"
    common = _common(event)
    shared = (("Cause", in_words(common.cause, common.edr)),) if common else ()
    return Notification(
        audience=audience,
        kind=Kind.ACTION_NEEDED,
        customer=event.customer,
        threat=event.threat,
        headline=f"Action needed: {what} {'is held' if event.state == 'held' else 'failed'}",
        facts=(("Action", what), ("State", event.state), *shared, ("Reason", whole(event.reason) or "not known")),
        body=_next_step(event, common, terms) if audience is Audience.TRE else "",
        incident=_incident(event, common),
        common=common,
        row=event.row,
    )


def _next_step(event: ActionStopped, common: CommonCause | None, terms: HoldTerms) -> str:
    """Customers have no `arctl`, and wait for the TREs."""
    if event.state == "held" and not common:
        passes = f"{_PASSES} {_undecided(terms)}"
        return "\n".join((_held_by(event.guard), *requeued([event.row]), passes) if event.row else which("held", event.customer))
    stopped = when_stopped([event.row], common.cause if common else event.cause, event.customer, common)
    return f"{stopped}\n{_undecided(terms)}" if event.state == "held" else stopped


def _undecided(terms: HoldTerms) -> str:
    return f"What nobody decides is called off after {spoken(terms.life)}." if terms.life else "What nobody decides stays held."


def _held_by(guard: str) -> str:
    return _HELD[Guard(guard)] if guard in set(Guard) else _HELD_BY_OTHER


def _common(event: ActionStopped) -> CommonCause | None:
    """What a guard holds is each a decision of its own, but for the blast radius: that is one for all beyond the cap."""
    if event.state == "held":
        return too_many(VERBS[event.verb].cap or event.verb) if event.guard == Guard.BLAST_RADIUS else None
    if not is_shared(event.cause):
        return None
    return CommonCause(edr=event.edr, verb=event.verb if event.verb in CONTAINMENT else "", cause=event.cause)


def _incident(event: ActionStopped, common: CommonCause | None) -> str:
    """One per cause and day: an alert of last week that nobody has closed must not swallow what fails today.

    An endpoint that is not cut off, or does not get its network back, is nobody's line in a digest of other things.
    """
    if common:
        return of_the_day(common, event.occurred_at)
    return event.id if event.verb in CONTAINMENT else ""
