"""The knobs of the Defender twin: its limits, and the points where the vendor is not documented or not consistent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "defender"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    calls_per_minute: int = 100
    calls_per_hour: int = 1500
    live_responses_per_minute: int = 10
    live_sessions: int = 25
    token_life: float = 3599.0
    #: An order that no machine has picked up ends as TimeOut after this.
    order_life: float = 3 * 86400.0 + 14 * 60.0
    link_life: float = 1800.0
    #: Indicators that are active at once.
    most_indicators: int = 15_000
    #: Rows of a page: small ones show who does not follow @odata.nextLink.
    page_size: int = 10_000
    #: An isolate or unisolate while the same is open: it is handed back, refused, or made again and run late.
    duplicate: Literal["same", "refused", "late"] = "refused"
    #: How much later than usual such a second order runs.
    late_by: float = 600.0
    #: Unverified: GET /api/files/{sha256} tells the sha1, has it as null, or knows the file by its sha1 alone.
    file_lookup: Literal["by_sha256", "without_sha1", "by_sha1_only"] = "by_sha256"
    #: An empty list is written as one, or answered 404.
    empty_list: Literal["list", "404"] = "list"
    #: The name of a machine action's last change: the documentation's table and its sample differ.
    updated_name: Literal["lastUpdateDateTimeUtc", "lastUpdateTimeUtc"] = "lastUpdateDateTimeUtc"
    #: Unverified: findbytag compares tags exactly, or without case.
    tag_match: Literal["exact", "folded"] = "folded"
    #: Whether the tenant has live response, and scripts without a signature, switched on.
    live_response: bool = True
