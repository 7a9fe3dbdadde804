"""The knobs of the Cortex twin: its limits, and the points where the vendor is not documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs, NameMatch
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "cortex_xdr"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    #: About ten a second, counted by the minute.
    requests_per_minute: int = 600
    #: How far a signature's time may be from the wall's, in seconds. So long its nonce may come again, but not where it is strict:
    #: to sign each call anew is what the vendor advises.
    signature_window: float = 900.0
    #: Virtual seconds that a script or a quarantine takes on an endpoint that is connected.
    order_takes: float = 2.0
    #: Unverified: after so many virtual seconds an order for an offline endpoint is EXPIRED.
    order_life: float = 7 * 86400.0
    #: Unverified: isolating what is isolated already makes an order that does nothing, or is an error.
    repeated_isolation: Literal["order", "error"] = "order"
    #: Numbers in the vendor's integration, texts in its reference.
    action_ids: Literal["number", "text"] = "number"
    #: Unverified: `get_action_status` tells why an order failed.
    error_reasons: bool = False
    #: Unverified: a call that reads the block list; without a path there is none.
    blocklist_route: str = ""
    #: Unverified: whether `detailed_response` is honoured or `reply` is just true.
    detailed_response: bool = True
    #: Unverified: hashes of which none is new are an error, or are left out in a detailed answer like any other.
    nothing_added: Literal["error", "excluded"] = "error"
    #: Unverified: what a script hands back: its return value, only what it printed, or False.
    script_answer: Literal["return_value", "standard_output", "false"] = "return_value"
    #: Unverified: how the filter by group compares names.
    name_match: NameMatch = "folded"
    #: Unverified: whether a 429 names a time.
    retry_after: bool = False
    #: Business errors as HTTP 500, or within a 200.
    error_status: Literal["500", "200"] = "500"
    #: Counts of a list, or null instead of them.
    counts: Literal["number", "null"] = "number"
