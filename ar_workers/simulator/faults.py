"""Which calls go wrong, and how: a plan drawn up beforehand, so that every failure can be repeated."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from .documents import fields_of

Action = Literal[
    "reply",
    "redirect",
    "truncate",
    "cut",
    "delay",
    "reset_before",
    "reset_after",
    "hang_before",
    "hang_after",
]
ACTIONS: frozenset[str] = frozenset(get_args(Action))

HTML_ERROR = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong on the calls it matches.

    reply: answer `status`, `headers`, `body` without reaching the twin; redirect: the same with a
    3xx and a Location among the headers; truncate: the twin acts, its body is halved and says so in
    Content-Length; cut: the twin acts, the connection ends in mid body; delay: wait `seconds`, then
    go on as usual; reset_before / hang_before: the twin never sees the call; reset_after /
    hang_after: the twin acts, its answer never leaves. A hang lasts `seconds`, then resets.

    Of the matching calls `calls` (1-based), the `first` n, `every` k-th or a share `probability` go
    wrong; with none of these, all do. `times` ends the fault after so many hits.
    """

    action: Action
    vendor: str = "*"
    tenant: str = "*"
    method: str = "*"
    path: str = "*"
    body_contains: str = ""
    calls: tuple[int, ...] = ()
    first: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0
    label: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown fault action {self.action!r}")

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Fault:
        known = fields_of(cls, document, "unknown fault fields")
        if "action" not in known:
            raise ValueError("a fault needs an action")
        fault = cls(**known)
        return replace(fault, calls=tuple(fault.calls))

    def covers(self, *, vendor: str, tenant: str, method: str, path: str, body: str) -> bool:
        return (
            fnmatchcase(vendor, self.vendor)
            and fnmatchcase(tenant, self.tenant)
            and fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
            and self.body_contains in body
        )


@dataclass
class _Armed:
    fault: Fault
    dice: random.Random
    seen: int = 0
    hits: int = 0

    def strikes(self) -> bool:
        """Count one matching call and say whether it goes wrong."""
        self.seen += 1
        if self.fault.times is not None and self.hits >= self.fault.times:
            return False
        struck = self._chosen()
        self.hits += struck
        return struck

    def _chosen(self) -> bool:
        fault = self.fault
        if fault.calls:
            return self.seen in fault.calls
        if fault.first is not None:
            return self.seen <= fault.first
        if fault.every is not None:
            return self.seen % fault.every == 0
        if fault.probability is not None:
            return self.dice.random() < fault.probability
        return True


class FaultPlan:
    """The faults in force. Each counts its own matching calls; the first one to strike is drawn."""

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            dice = random.Random(f"{self._seed}/{len(self._armed)}")
            self._armed.append(_Armed(fault, dice))
        return fault

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def hits(self) -> dict[str, int]:
        """How often each fault struck, by its label (or its action)."""
        with self._lock:
            counted: dict[str, int] = {}
            for armed in self._armed:
                name = armed.fault.label or armed.fault.action
                counted[name] = counted.get(name, 0) + armed.hits
            return counted

    def draw(self, *, vendor: str, tenant: str, method: str, path: str, body: str = "") -> Fault | None:
        with self._lock:
            for armed in self._armed:
                covered = armed.fault.covers(vendor=vendor, tenant=tenant, method=method, path=path, body=body)
                if covered and armed.strikes():
                    return armed.fault
        return None
