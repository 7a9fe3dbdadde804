"""The errors of this project: few, each caught differently somewhere.

ARError
├── InvalidEvent          bad input: refused with the field and the reason, never retried
├── InvalidSettings       every problem of the configuration at once
├── Unsupported           this EDR cannot do this on this OS: refused before any request
├── IncompatibleLedger    another version wrote this ledger: nothing is touched
├── KeyUnusable           a key is not there, or not kept from others: nothing is sealed or believed
├── NotAllowed            who decides may not: nothing was done
├── Unbelievable          what stands in the ledger was not written by who may: it is not acted on
├── RecordUnusable        what must stand in a file outside Redis cannot be written there: nothing was accepted
├── LedgerUnavailable     Redis is away: nothing was recorded, the same call again is safe
│   └── LedgerFull        Redis is nearly full: nothing was accepted, try again later
└── EDRError              what a vendor answered, or did not
    ├── NotSent           the request never left: surely no effect
    ├── OutcomeUnknown    it left and no answer came: only observing can tell
    ├── VendorFault       5xx or unreadable: may or may not have had an effect
    ├── Throttled         429: come back when the vendor says
    ├── EndpointOffline   the endpoint cannot be reached now: keep the intent
    ├── EndpointNotFound  the EDR knows no such endpoint
    ├── Unreadable        what is there is locked or cannot be read: it cannot be told whose it is
    ├── AuthRefused       credentials or scope are wrong: asking again locks the account out
    └── Denied            any other 4xx: asking again changes nothing
"""

from __future__ import annotations

from datetime import timedelta


class ARError(Exception):
    """Base of all errors of this project."""


class InvalidEvent(ARError):
    """Input that is not an event: names the field and what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class InvalidSettings(ARError):
    """All problems of a configuration, one line each: `where: what is wrong`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Unsupported(ARError):
    """The EDR cannot do this on this OS; nothing was sent."""


class IncompatibleLedger(ARError):
    """The ledger has a format that this version does not know; nothing was read or written."""


class KeyUnusable(ARError):
    """A key is not there, or not kept from others: nothing was sealed, and nothing was done. Names the file and the fix."""


class NotAllowed(ARError):
    """The role of who decides does not let them; nothing was done. It says who may."""


class Unbelievable(ARError):
    """What stands in the ledger bears no good seal: it was not read."""


class RecordUnusable(ARError):
    """A file of the record cannot be written: what belongs into it was not done. Names the file and the fix."""


class LedgerUnavailable(ARError):
    """The ledger could not be reached; nothing is known to be recorded, and the same call again is safe."""


class LedgerFull(LedgerUnavailable):
    """The ledger has no room for new events; what it has accepted is worked off, and the same call again later is safe."""


class EDRError(ARError):
    """What a vendor answered instead of a result. `trace` is the vendor's own id of the request."""

    def __init__(self, message: str, *, code: str = "", trace: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.trace = trace


class NotSent(EDRError):
    """The connection was never made: the vendor has seen nothing."""


class OutcomeUnknown(EDRError):
    """The request went out and no whole answer came back."""


class VendorFault(EDRError):
    """The vendor failed (5xx, HTML, truncated JSON). `retry_after` is how long it asks to be left alone, if it says so."""

    def __init__(self, message: str, *, code: str = "", trace: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(message, code=code, trace=trace)
        self.retry_after = retry_after


class Throttled(EDRError):
    """The vendor's limit is reached; nothing was done. `retry_after` is how long it asked to be left alone."""

    def __init__(self, message: str, *, retry_after: timedelta | None, code: str = "", trace: str = "") -> None:
        super().__init__(message, code=code, trace=trace)
        self.retry_after = retry_after


class EndpointOffline(EDRError):
    """The endpoint is not connected. If it was asked already, it is looked at before it is asked again."""


class EndpointNotFound(EDRError):
    """The EDR knows no endpoint with this agent id."""


class Unreadable(EDRError):
    """A file is locked or cannot be read: nobody can tell whether it is what was meant, or whether it is there. Nothing was done."""


class AuthRefused(EDRError):
    """Credentials or scope are refused: 401 (with a new token, too, where there are tokens) or 403.

    `is_unauthenticated`: it is not known who asks, rather than that he may not.
    """

    def __init__(self, message: str, *, code: str = "", trace: str = "", is_unauthenticated: bool = False) -> None:
        super().__init__(message, code=code, trace=trace)
        self.is_unauthenticated = is_unauthenticated


class Denied(EDRError):
    """The vendor refuses this request for good."""
