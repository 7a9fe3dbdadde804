"""What an action that was recorded can be undone by, or why it cannot: every one says either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .actions import ACTIONS
from .endpoints import OS
from .plans import Skip
from .states import State
from .verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .actions import Action, Undo, Verb
    from .capabilities import Capabilities
    from .facts import Receipt
    from .rows import Row

#: Of what ended so the EDR may show something only if it was asked.
_CALLED_OFF = frozenset({State.FAILED, State.CANCELLED})
#: The EDR may show the effect.
_MAY_BE_SO = frozenset({State.DONE, State.ALREADY, State.LEASED, State.PERFORMED, State.UNKNOWN})
_FIRST = 5


@dataclass(frozen=True, kw_only=True)
class Made:
    """A row that was recorded, as far as its undo needs it.

    `action` is its order, and `doubt` why it is not believed or not there any more. `receipt` is what the EDR signed for.
    `is_ours` says that the EDR shows the effect because we asked, for this row or for one of the same order. `wanted_by` are other
    threats, not closed, that want the same. `undone` is by whom it was taken back since; `undo_state` is where that undo is.
    """

    row: Row
    action: Action | None = None
    receipt: Receipt | None = None
    doubt: str = ""
    is_ours: bool = True
    wanted_by: tuple[str, ...] = ()
    undone: str = ""
    undo_state: State | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of one row: `undo` is done, or `reason` is why not."""

    made: Made
    undo: Undo | None = None
    reason: str = ""

    @property
    def matters(self) -> bool:
        """Whether there may be something to undo; of the rest nobody needs to be told."""
        return self.undo is not None or self.made.row.state in _MAY_BE_SO

    @property
    def line(self) -> str:
        """For people."""
        row = self.made.row
        if self.undo:
            return f"{words(self.undo.verb)} {self.undo.label}"
        return f"{words(row.verb)} {row.subject}: {self.reason}"


def words(verb: str) -> str:
    """A verb as people read it."""
    return verb.replace("_", " ")


def taken_back(action: Action, *, by: str = "", row_id: str = "", receipt: Receipt | None = None) -> Undo | None:
    """The undo of an action; None for one that has none."""
    verb = VERBS[action.verb].undo
    if verb is None:
        return None
    kind: Any = ACTIONS[verb]
    same = {name: value for name, value in action if name in kind.model_fields and name != "verb"}
    return cast("Undo", kind(**same, requested_by=by, undoes=row_id, made=receipt))


def judged(found: Iterable[Made], able: Capabilities, *, by: str, though_wanted: bool = False) -> tuple[Verdict, ...]:
    """What can be undone of these, each with its reason where it cannot.

    `by` wants it. What another open threat wants, too, is undone only `though_wanted`: a person has named that very row.
    """
    return tuple(_judged(each, able, by=by, though_wanted=though_wanted) for each in found)


def _judged(made: Made, able: Capabilities, *, by: str, though_wanted: bool) -> Verdict:
    reason = _why_not(made, able, though_wanted=though_wanted)
    if reason or made.action is None:
        return Verdict(made=made, reason=reason)
    return Verdict(made=made, undo=taken_back(made.action, by=by, row_id=made.row.id, receipt=made.receipt))


def _why_not(made: Made, able: Capabilities, *, though_wanted: bool) -> str:
    row = made.row
    rule = VERBS.get(row.verb) if row.kind == "action" else None
    if rule is None:
        return "a message cannot be taken back" if row.kind == "delivery" else "nothing was done"
    if rule.gives_back:
        return "is an undo itself: what it took back comes again with a threat that wants it"
    return _why_not_now(made) or rule.no_undo or _why_not_there(made, able) or _why_it_stays(made, though_wanted=though_wanted)


def _why_not_now(made: Made) -> str:
    """By where the row is."""
    row = made.row
    if row.is_dry:
        return "was only rehearsed: the EDR was not asked"
    if row.state is State.SKIPPED:
        return f"was not done: {row.reason}"
    if row.state in _CALLED_OFF and not (row.performed_at or (row.begun_at and row.state is State.FAILED)):
        return "was never asked of the EDR"
    if row.state is State.ALREADY and not made.is_ours:
        return "stood before we asked, and stays"
    return ""


def _why_not_there(made: Made, able: Capabilities) -> str:
    """By what its EDR can do, and by what is known of the order."""
    action, verb = made.action, _undo_of(made.row.verb)
    if action is None or verb is None:
        return made.doubt
    systems = {each.os for each in action.endpoints} if action.lane else set(OS)
    if not any(able.may(action.edr, verb, each) for each in systems):
        return able.why_not(action.edr, verb) or f"{action.edr} cannot {words(verb)}"
    return ""


def _why_it_stays(made: Made, *, though_wanted: bool) -> str:
    if made.undone and made.undo_state in {State.DONE, State.ALREADY}:
        return f"is undone already, {made.undone}"
    if made.undone and made.undo_state and made.undo_state not in {State.FAILED, State.CANCELLED, State.SKIPPED}:
        return f"its undo is under way, {made.undone}"
    if made.wanted_by and not though_wanted:
        more = " and others" if len(made.wanted_by) > _FIRST else ""
        return f"wanted by {', '.join(made.wanted_by[:_FIRST])}{more}, too: it stays until that is closed, or until it is undone by its id"
    return ""


def skipped(verdicts: Sequence[Verdict]) -> tuple[Skip, ...]:
    """What was to be undone and is not, as rows that say why; of what has no undo at all there is nothing to record."""
    missed = [(_undo_of(each.made.row.verb), each) for each in verdicts if not each.undo]
    return tuple(Skip(verb=verb, subject=each.made.row.subject, reason=each.reason) for verb, each in missed if verb)


def _undo_of(verb: str) -> Verb | None:
    return cast("Verb | None", VERBS[verb].undo) if verb in VERBS else None
