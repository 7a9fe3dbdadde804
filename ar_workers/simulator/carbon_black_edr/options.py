"""The knobs of the Carbon Black EDR twin: how the server is configured, and the points where the vendor is not documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "carbon_black_edr"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    version: str = "7.8.1.220913.1158"
    #: `CbLREnabled` of cb.conf; off, Live Response answers 412.
    live_response: bool = True
    banning_enabled: bool = True
    #: Since 7.1 a PUT of more than seven fields of a sensor is refused.
    strict_put: bool = True
    #: Virtual seconds from asking for a session until the sensor joins it, and from an order until it is carried out.
    session_delay: float = 0.0
    order_delay: float = 0.0
    sensor_wait_timeout: float = 120.0
    session_timeout: float = 300.0
    #: Unverified: how a PUT of a sensor is answered.
    put_answer: Literal[200, 204] = 200
    #: An empty list of sensors is 204 without a body, or [].
    empty_list: Literal[204, 200] = 204
    #: Unverified: refusals as plain text or as JSON.
    refusals: Literal["text", "json"] = "text"
    #: Unverified: the ban of an unknown hash is answered so.
    unknown_ban: Literal[404, 409] = 404
    #: Unverified: a command to a session that is not active is answered so.
    inactive_session: Literal[404, 400] = 404
    #: Unverified: deleting a registry key that has keys below it.
    sub_keys: Literal["refused", "deleted"] = "refused"
    #: Unverified: how a sensor that is no Windows writes its errors.
    posix_errors: Literal["hresult", "errno"] = "hresult"
    #: Unverified: result codes as unsigned or as signed numbers.
    result_codes: Literal["unsigned", "signed"] = "unsigned"
