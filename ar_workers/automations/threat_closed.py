"""Threat closed: the customer marked it remediated, or its source shows it as over: what is queued must not run any more (managed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.notifications import Audience, Kind, Notification
from ..domain.plans import Plan
from ..domain.threats import Severity
from ..domain.undo import judged, skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..domain.events import ThreatClosed
    from ..domain.undo import Verdict
    from .context import Context

_CALLED_OFF = "What was queued for it is cancelled, and an order that is not yet in effect is taken back where the EDR can. "
_STAYS = "What has been done stays as it is: an endpoint that is isolated stays so until somebody releases it."
_BY = "the closing of its threat as a false positive"
#: Of each kind so many are told; the rest is counted.
_FIRST = 8


def plan(event: ThreatClosed, context: Context) -> Plan:
    """Cancel what is queued for the threat, and tell the TREs of it. What the EDR has already accepted is taken back or watched.

    Of a false positive they are told what can be undone, and why the rest cannot; and by the customer's `undo_false_positives` it is
    undone at once. What another open threat wants, too, stays.
    A threat of low severity is closed like any other, but as nobody was told of it, nobody is told of its end.
    """
    verdicts = judged(context.made, context.capabilities, by=_BY) if event.is_false_positive else ()
    is_carried_out = context.policy.undo_false_positives
    return Plan(
        closes=f"threat closed: {event.reason}",
        notifications=() if event.threat.severity is Severity.LOW else (_tell_tres(event, verdicts, is_carried_out=is_carried_out),),
        actions=tuple(each.undo for each in verdicts if each.undo) if is_carried_out else (),
        skips=skipped([each for each in verdicts if each.matters]) if is_carried_out else (),
    )


def _tell_tres(event: ThreatClosed, verdicts: Sequence[Verdict], *, is_carried_out: bool) -> Notification:
    undone = [each.line for each in verdicts if each.undo]
    kept = [each.line for each in verdicts if each.matters and not each.undo]
    return Notification(
        audience=Audience.TRE,
        kind=Kind.THREAT_CLOSED,
        customer=event.customer,
        threat=event.threat,
        headline=f"Threat closed: {event.threat.id}",
        facts=(
            ("Reason", event.reason),
            *((("Is undone now" if is_carried_out else "Can be undone", _listed(undone)),) if undone else ()),
            *((("Is not undone", _listed(kept)),) if kept else ()),
        ),
        body=_CALLED_OFF + _what_now(event, is_undoable=bool(undone), is_carried_out=is_carried_out),
    )


def _what_now(event: ThreatClosed, *, is_undoable: bool, is_carried_out: bool) -> str:
    if not is_undoable:
        return _STAYS
    if is_carried_out:
        return "What was done for it is undone, as this customer's file says; `arctl threats show` shows what becomes of it."
    return f"{_STAYS} `arctl undo --threat {event.threat.id} --customer {event.customer}` undoes what can be undone."


def _listed(lines: Iterable[str]) -> str:
    """How many, and the first of them."""
    known = list(lines)
    more = [f"and {len(known) - _FIRST} more"] if len(known) > _FIRST else []
    return f"{len(known)}: " + "; ".join([*known[:_FIRST], *more])
