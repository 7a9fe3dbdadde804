"""Why a row failed, by kinds: what mends each, and which of them stop more than one row at once.

A cause is one line, as the ledger keeps it: the kind, and behind a space what it is about (a request, or what mends a receiver).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from .errors import AuthRefused, Denied, EDRError, EndpointNotFound, Unreadable
from .model import Value
from .text import shortened
from .verbs import VERBS

if TYPE_CHECKING:
    from datetime import datetime

_LONGEST = 160
#: How `http` begins what it says of a refusal: the method and the path.
_REQUEST = re.compile(r"([A-Z]+) (/\S*): ")
#: Parts of a path that name one endpoint or order: of two requests with one permission nothing else differs.
_NAMES_ONE = re.compile(r"[0-9]+|[0-9a-fA-F-]{16,}")


class Trouble(StrEnum):
    """The kinds."""

    #: It is not known who asks: 401.
    CREDENTIAL = "credential"
    #: Who asks may not: 403.
    PERMISSION = "permission"
    UNCONFIGURED = "unconfigured"
    NO_SUCH_ENDPOINT = "no_such_endpoint"
    REFUSED = "refused"
    OUT_OF_TIME = "out_of_time"
    #: The EDR took the order, and does not show its effect.
    NOT_IN_EFFECT = "not_in_effect"
    #: The EDR took the order, and cannot be looked at.
    UNVERIFIED = "unverified"
    #: The EDR took the order, and says that it failed.
    INCAPABLE = "incapable"
    #: What is to be acted on is locked or cannot be read.
    LOCKED = "locked"
    #: The answer was lost, and nothing shows what became of it.
    LOST = "lost"
    CRASHES = "crashes"
    TAMPERED = "tampered"
    #: More than the customer's cap: the blast radius holds it.
    TOO_MANY = "too_many"
    #: A receiver that takes nothing any more, whatever it is told.
    RECEIVER = "receiver"


_SHARED = frozenset({Trouble.CREDENTIAL, Trouble.PERMISSION, Trouble.UNCONFIGURED, Trouble.TOO_MANY})

_WORDS = {
    Trouble.CREDENTIAL: "{edr} does not take our credential",
    Trouble.PERMISSION: "{edr} refuses a permission ({detail})",
    Trouble.UNCONFIGURED: "{edr} is not configured",
    Trouble.UNVERIFIED: "{edr} took the orders, and cannot be looked at ({detail})",
    Trouble.TOO_MANY: "more {detail} than the customer's cap",
}
_CURES = {
    Trouble.CREDENTIAL: "Renew the credential in the customer's settings. Whether it is taken, this shows:",
    Trouble.PERMISSION: "Grant the permission at the EDR. Which one is missing, this shows:",
    Trouble.UNCONFIGURED: "Put the EDR's section back into the customer's file. Whether it is well, this shows:",
    Trouble.UNVERIFIED: "Look in the EDR's console whether it is so, and mend what keeps us from looking. Whether we can, this shows:",
    Trouble.NO_SUCH_ENDPOINT: "Look in the EDR's console whether the endpoint is enrolled, under another id perhaps.",
    Trouble.REFUSED: "The EDR refuses this request as often as it is asked: mend what the reason names.",
    Trouble.OUT_OF_TIME: "It was tried until its time was up: see that the endpoint is online and that the EDR answers.",
    Trouble.NOT_IN_EFFECT: "Look at the endpoint in the EDR's console: somebody may have undone it, or its sensor may not answer.",
    Trouble.INCAPABLE: "Look at the endpoint in the EDR's console, where the order says why it failed.",
    Trouble.LOCKED: "End what holds the file open (its process, a scan, a backup) or restart the endpoint, see that the EDR's sensor may "
    "read it, then requeue it.",
    Trouble.LOST: "Look at the endpoint whether it has happened; it must not be repeated blindly.",
    Trouble.CRASHES: "Look into the workers' logs what ended them before you bring it back.",
    Trouble.TAMPERED: "Somebody has changed the ledger, or its seal is too old: the reason says which. Find out who, and do not bring it "
    "back before. What is still wanted is published again, as an event with another id.",
}
_NO_CURE = "Mend what the reason names."


class CommonCause(Value):
    """What stops many actions of a customer: the first is told at once, and what follows soon is told as one.

    `verb` is that of isolations or of releases, each told of apart; empty is any other.
    """

    edr: str
    verb: str = ""
    cause: str

    @property
    def key(self) -> str:
        """Tells it from any other of the customer."""
        return f"{self.edr}/{self.verb}/{self.cause}"


def cause(kind: Trouble, detail: str = "") -> str:
    """As the ledger keeps it."""
    return f"{kind} {shortened(detail, _LONGEST)}".strip()


def of_error(error: Exception) -> str:
    """The cause of an action that an EDR's error ended; empty where the error says nothing of its kind."""
    match error:
        case AuthRefused(is_unauthenticated=True):
            return cause(Trouble.CREDENTIAL)
        case AuthRefused():
            return cause(Trouble.PERMISSION, _asked(error))
        case EndpointNotFound():
            return cause(Trouble.NO_SUCH_ENDPOINT)
        case Denied():
            return cause(Trouble.REFUSED)
        case Unreadable():
            return cause(Trouble.LOCKED)
        case _:
            return ""


def too_many(cap: str) -> CommonCause:
    """What one of the customer's caps holds, of all EDRs together."""
    verb = next((verb for verb, rule in VERBS.items() if rule.cap == cap and rule.is_containment), "")
    return CommonCause(edr="", verb=verb, cause=cause(Trouble.TOO_MANY, cap))


def of_the_day(common: CommonCause, at: datetime) -> str:
    """The matter that it is for who is paged: an alert of last week that nobody has closed must not swallow what happens today."""
    return f"{common.key}/{at:%Y-%m-%d}"


def kind_of(found: str) -> Trouble | None:
    """The kind; None for one that nobody has said, or that another version knew."""
    name = found.partition(" ")[0]
    return Trouble(name) if name in set(Trouble) else None


def is_shared(found: str) -> bool:
    """Whether it stops every action of its kind until it is mended."""
    kind = kind_of(found)
    return kind in _SHARED or (kind is Trouble.UNVERIFIED and kind_of(detail_of(found)) in _SHARED)


def detail_of(found: str) -> str:
    """What it is about."""
    return found.partition(" ")[2]


def in_words(found: str, edr: str) -> str:
    """A shared cause as a person reads it."""
    kind = kind_of(found)
    return _WORDS[kind].format(edr=edr, detail=detail_of(found) or "no more is known") if kind in _WORDS else found


def cure_of(found: str) -> str:
    """What a person does about it."""
    kind = kind_of(found)
    return _CURES.get(kind, _NO_CURE) if kind else _NO_CURE


def _asked(error: EDRError) -> str:
    """The request that was refused, without what names one endpoint in it."""
    found = _REQUEST.match(str(error))
    if not found:
        return str(error)
    parts = ("*" if _NAMES_ONE.fullmatch(part) else part for part in found[2].split("/"))
    return f"{found[1]} {'/'.join(parts)}"
