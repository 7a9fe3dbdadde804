"""The knobs of the CrowdStrike twin: its limits, and the points where the vendor is not documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs, NameMatch
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "crowdstrike"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    cloud: str = "sim-1"
    #: Where the other clouds are, for the redirect; unnamed ones point where no client gets to.
    cloud_urls: Mapping[str, str] = field(default_factory=dict)
    requests_per_minute: int = 6000
    bad_tokens_per_minute: int = 15
    tokens_per_minute: int = 300
    token_life: float = 1799.0
    session_life: float = 600.0
    queue_life: float = 7 * 86400.0
    #: How often a command's status answers complete=false before the result is there.
    polls_until_complete: int = 1
    stdout_chunk: int = 4000
    #: Empty lists: "list" writes [], "null" null, "missing" leaves errors out, "mixed" takes turns.
    empty_errors: Literal["list", "null", "missing", "mixed"] = "mixed"
    #: Unverified: how FQL compares names.
    name_match: NameMatch = "folded"
    #: Unverified: the column order of `ps`.
    ps_columns: Literal["pid_first", "name_first"] = "pid_first"
    #: Unverified: whether `mount` shows a drive's device beside it.
    mount_shows: Literal["devices", "drives"] = "devices"
    #: Unverified: asking for the opposite of a pending change settles back at once, or conflicts.
    pending_reversal: Literal["straight_back", "conflict"] = "straight_back"
    #: Unverified: in a chunked answer only the last chunk is complete, or each one is.
    chunks_complete: Literal["last", "each"] = "last"
    #: Unverified: X-RateLimit-RetryAfter in epoch seconds, or in epoch milliseconds.
    retry_after_unit: Literal["seconds", "milliseconds"] = "seconds"
    #: Unverified: one bad row spoils a whole IOC batch, or only itself.
    bad_row: Literal["rejects_batch", "rejects_row"] = "rejects_batch"
