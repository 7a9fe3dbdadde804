"""The knobs of the SentinelOne twin: its limits, and the points where the vendor is not documented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..documented import Documentation
from ..options import Knobs, NameMatch
from .documented import DOCUMENTATION


@dataclass(frozen=True, kw_only=True)
class Options(Knobs):
    vendor: ClassVar[str] = "sentinelone"
    documentation: ClassVar[Documentation] = DOCUMENTATION
    #: The vendor publishes no general limit.
    requests_per_minute: int = 6000
    #: Virtual seconds that a script runs, that an idle task lives, and that a mitigation takes.
    run_seconds: float = 88.0
    task_life: float = 7 * 86400.0
    mitigation_seconds: float = 30.0
    #: A console that makes every script wait for a second person.
    guardrail: bool = False
    #: Unverified: whether a 429 says how long to stay away.
    retry_after: Literal["seconds", "none"] = "seconds"
    #: Unverified: what a repeated disconnect or connect counts as.
    repeat_affects: Literal[0, 1] = 1
    #: Unverified: a filter key that nobody knows is overlooked, or refused.
    unknown_filter: Literal["everyone", "refused"] = "everyone"
    unknown_query: Literal["refused", "ignored"] = "refused"
    #: Unverified: how `name=` compares.
    name_match: NameMatch = "exact"
    #: Unverified: whether a list by id shows the decommissioned as well.
    shows_decommissioned: bool = True
    #: Whether the console is new enough for entries by SHA-256 alone.
    takes_sha256: bool = True
    #: Unverified: the code and the words of a duplicate entry.
    duplicate_code: int = 4000030
    duplicate_words: str = "Item already exists"
    #: Unverified: a script for an offline agent waits for it, or fails at once.
    offline_script: Literal["waits", "fails"] = "waits"
    #: Unverified: whether an approved execution names its task.
    approved_task: Literal["shown", "hidden"] = "shown"
    #: Unverified: what a result link leads to.
    results_as: Literal["zip", "text"] = "zip"
    #: A completed task whose script ended in an error, or whose output says nothing, whatever it was told.
    script_fails: Literal["", "with_error", "without_output"] = ""
    #: Unverified: a mitigation is reported as pending at once, or only once it has ended.
    mitigation_report: Literal["at_once", "late"] = "at_once"
