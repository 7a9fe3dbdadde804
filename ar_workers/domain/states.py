"""The states of a ledger row (an action or a delivery) and the legal moves between them: one table."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a row is. A terminal state is an outcome; `failed` is the dead letter and can be requeued."""

    #: For another row to be submitted or settled.
    WAITING = "waiting"
    #: To be done when `next_attempt_at` has come.
    PENDING = "pending"
    #: A worker has it until its lease ends.
    LEASED = "leased"
    #: The EDR accepted it; it is not yet seen to be so. Of a message: the provider accepted it, and says later whether it has arrived.
    PERFORMED = "performed"
    #: It may or may not have taken effect: look before anything else.
    UNKNOWN = "unknown"
    #: A guard holds it until a person decides, or the kill switch until it opens.
    HELD = "held"
    #: The EDR shows it, because we asked. The channel accepted it; where the provider tells, it has arrived.
    DONE = "done"
    #: The EDR showed it before we asked.
    ALREADY = "already"
    #: Not to be done, with the reason.
    SKIPPED = "skipped"
    #: Given up, with the reason. The dead letter.
    FAILED = "failed"
    #: Called off before it was done.
    CANCELLED = "cancelled"


TERMINAL = frozenset({State.DONE, State.ALREADY, State.SKIPPED, State.FAILED, State.CANCELLED})
UNSETTLED = frozenset(State) - TERMINAL
#: What frees the rows that wait for an isolation: the order is with the EDR, or will not get there.
FREES_DEPENDENTS = TERMINAL | {State.PERFORMED, State.HELD}

#: Legal moves. A lease may end anywhere but in `waiting`; nothing leaves a terminal state but by requeue.
MOVES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.PENDING, State.CANCELLED}),
    State.PENDING: frozenset({State.LEASED, State.CANCELLED}),
    State.LEASED: frozenset(State) - {State.WAITING, State.LEASED},
    State.PERFORMED: frozenset({State.LEASED}),
    State.UNKNOWN: frozenset({State.LEASED, State.DONE, State.PENDING}),
    State.HELD: frozenset({State.PENDING, State.CANCELLED}),
    State.FAILED: frozenset({State.PENDING}),
    State.DONE: frozenset(),
    State.ALREADY: frozenset(),
    State.SKIPPED: frozenset(),
    State.CANCELLED: frozenset(),
}
