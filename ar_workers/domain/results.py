"""What became of sending a notification, as a value."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from .model import Value


class Answer(StrEnum):
    """What became of one sending."""

    ACCEPTED = "accepted"
    #: Surely not taken; send again.
    RETRY = "retry"
    #: Never will be.
    PERMANENT = "permanent"
    #: May have been taken.
    UNKNOWN = "unknown"


class Result(Value):
    """The outcome of a sending as a value. `reference` is the provider's id, `code` says why in one word or line.

    `is_on_its_way`: accepted, and the provider can be asked later, by `reference`, whether it has arrived. `fix` is what has to be
    mended before this receiver takes anything again; it is empty where the refusal is about this one message.
    """

    answer: Answer
    reference: str = ""
    code: str = ""
    retry_after: timedelta | None = None
    is_on_its_way: bool = False
    fix: str = ""
