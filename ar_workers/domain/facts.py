"""What an EDR shows and what it signs for."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .model import Value
from .text import Whole


class Sight(StrEnum):
    """What an EDR shows of an action's effect."""

    #: The effect is there.
    PRESENT = "present"
    ABSENT = "absent"
    #: On its way; ask again.
    PENDING = "pending"
    #: The EDR has no way to tell.
    UNKNOWABLE = "unknowable"
    #: What is there is not what was confirmed malicious (a reused pid, another file at the path).
    MISMATCH = "mismatch"
    #: The EDR took the order, tried, and reports that it could not.
    REFUSED = "refused"
    #: The order has ended, and nothing was done: the file is locked or cannot be read. It may be asked for again.
    LOCKED = "locked"


class Fact(Value):
    """What `observe` saw: `evidence` in words for people, `handle` for the `perform` that may follow at once.

    `image` is, of a process that is there, its image as the EDR shows it: a whole path, or the bare name where that is all; empty
    where it shows none. Guards judge it, whatever the order says.
    """

    sight: Sight
    evidence: Whole = ""
    image: str = ""
    handle: str = ""


class Receipt(Value):
    """The EDR accepted the order: `reference` is its own id for it. Accepted is never done."""

    reference: Whole = ""
    detail: dict[str, str] = Field(default_factory=dict)
