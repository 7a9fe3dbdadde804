"""The knobs of the Carbon Black Cloud twin: its limits, and the points where the vendor is not documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs, NameMatch
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "carbon_black_cloud"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    requests_per_window: int = 1000
    window: float = 300.0
    #: Virtual seconds until the sensor joins a Live Response session.
    session_delay: float = 1.0
    check_in_timeout: float = 900.0
    session_timeout: float = 900.0
    #: How often a command answers "pending" before its result is there.
    polls_until_complete: int = 1
    #: Which statuses come in which case; "mixed" takes turns. The vendor's known issue.
    status_case: Literal["lower", "upper", "mixed"] = "mixed"
    #: HRESULTs as a signed or an unsigned number; "mixed" takes turns. Both were seen.
    result_codes: Literal["signed", "unsigned", "mixed"] = "mixed"
    #: A quarantine is accepted with 204 and no body, or with 200 and an empty object. Both were seen.
    accepted: Literal[204, 200] = 204
    #: Unverified: a second override of a hash is another row, or refused.
    second_override: Literal["row", 409, 400] = "row"
    #: Unverified: a second session for a device is the first one, another one, or a conflict.
    second_session: Literal["same", "new", "conflict"] = "same"
    #: Unverified: what a device answers whose Live Response is switched off.
    live_response_off: int = 403
    #: Unverified: a session that was not joined in time is TIMEOUT for a while, or not found at once.
    expired_session: Literal["timeout", "gone"] = "gone"
    #: Unverified: the names of the fields of a process; v6's documentation or the SDK's examples.
    process_fields: Literal["prefixed", "plain"] = "prefixed"
    #: Unverified: the unit of a process's start.
    process_time: Literal["seconds", "milliseconds", "filetime", "iso"] = "seconds"
    #: A file that runs cannot be deleted on Windows.
    running_files_are_locked: bool = False
    #: Unverified: how the criterion `name` of asset groups compares.
    name_match: NameMatch = "folded"
    #: Unverified: whether a page of members tells the total.
    members_tell_total: bool = True
