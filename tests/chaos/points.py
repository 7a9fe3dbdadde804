"""Named crash points: thin proxies around the ports that end (or freeze) their own process when a point is armed.

A point is armed by files `armed/NAME.K` for K = 1..N: the N-th hit in the whole run is the one that kills. Removing a
file is atomic, so that exactly one process dies however many pass, and one that was restarted does not die again.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MOST_HITS = 3
#: How far into a call `during:` strikes: the twin has acted by then and, told to, still holds its answer back.
INTO_THE_CALL = 0.25

#: Every point, by the role that passes it.
POINTS: dict[str, tuple[str, ...]] = {
    "publisher": ("before:ledger.accept", "after:ledger.accept", "after:doorbell.ring"),
    "transport": ("before:transport.hand_over", "after:transport.hand_over"),
    "responder": ("after:ledger.events", "before:ledger.record", "after:ledger.record", "before:doorbell.play", "after:doorbell.play"),
    "executor": (
        "before:ledger.claim", "after:ledger.claim", "before:edr.observe", "after:edr.observe", "before:ledger.begin", "after:ledger.begin",
        "before:edr.perform", "during:edr.perform", "after:edr.perform", "before:ledger.conclude", "after:ledger.conclude",
    ),
    "deliverer": ("before:channel.send", "during:channel.send", "after:channel.send"),
    "heart": ("before:ledger.renew", "after:ledger.renew"),
    "sweeper": ("after:ledger.tick", "before:ledger.due", "after:ledger.due"),
    "beat": ("before:beat.send", "after:beat.send"),
}  # fmt: skip


#: What a threat passes on its way; the other roles only wake these.
PATH = ("publisher", "responder", "executor", "deliverer")


def gaps() -> dict[str, tuple[str, ...]]:
    """The points on a threat's path without those `before:` that follow an `after:`: nothing happens between the two."""
    return {
        role: tuple(name for before, name in pairwise(("", *names)) if not (before.startswith("after:") and name.startswith("before:")))
        for role, names in POINTS.items()
        if role in PATH
    }


@dataclass(frozen=True)
class Points:
    """The crash points of one run; all its processes share `folder`."""

    folder: Path

    def arm(self, name: str, hits: int = 1, strike: signal.Signals = signal.SIGKILL) -> None:
        """The `hits`-th passing of the point from now on kills, or stops."""
        armed = self.folder / "armed"
        armed.mkdir(parents=True, exist_ok=True)
        for number in range(1, min(hits, MOST_HITS) + 1):
            (armed / f"{name}.{number}").write_text(strike.name)

    def disarm(self) -> None:
        """Nothing kills any more."""
        for each in (self.folder / "armed").glob("*"):
            each.unlink(missing_ok=True)

    def crashes(self) -> list[str]:
        """The points at which a process was struck, in order."""
        path = self.folder / "crashes"
        return path.read_text().splitlines() if path.exists() else []

    def hit(self, name: str) -> None:
        """Pass the point, or be struck at it."""
        strike = self._drawn(name)
        if strike:
            self._strike(name, strike)

    def hit_soon(self, name: str) -> None:
        """Pass the point, or be struck a moment later, while the caller is busy."""
        strike = self._drawn(name)
        if strike:
            threading.Timer(INTO_THE_CALL, self._strike, (name, strike)).start()

    def _drawn(self, name: str) -> signal.Signals | None:
        for number in range(MOST_HITS, 0, -1):
            path = self.folder / "armed" / f"{name}.{number}"
            try:
                strike = signal.Signals[path.read_text()]
                path.unlink()
            except FileNotFoundError:
                continue
            return strike if number == 1 else None
        return None

    def _strike(self, name: str, strike: signal.Signals) -> None:
        with (self.folder / "crashes").open("a") as log:
            log.write(name + "\n")
        os.kill(os.getpid(), strike)


class Crashing:
    """A port whose every method has a point before and one after it."""

    def __init__(self, inner: Any, port: str, points: Points) -> None:
        self._inner, self._port, self._points = inner, port, points

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._around(name, found) if callable(found) else found

    def _around(self, name: str, method: Any) -> Any:
        point = f"{self._port}.{name}"

        def call(*args: Any, **options: Any) -> Any:
            self._points.hit(f"before:{point}")
            self._points.hit_soon(f"during:{point}")
            answer = method(*args, **options)
            self._points.hit(f"after:{point}")
            return answer

        return call


class Watched(Crashing):
    """The ledger, which also writes down who holds what and since when, and lets a lost ring be repeated sooner."""

    def __init__(self, inner: Any, points: Points, again: Any) -> None:
        super().__init__(inner, "ledger", points)
        self._again = again
        self._log = (points.folder / f"claims-{os.getpid()}").open("a", buffering=1)

    def due(self, limit: int, again: Any, **options: Any) -> Any:
        return self._around("due", self._inner.due)(limit, min(again, self._again), **options)

    def claim(self, row_ids: Any, **options: Any) -> Any:
        answers = self._around("claim", self._inner.claim)(row_ids, **options)
        self._write("claim", [each.row_id for each in answers if hasattr(each, "fence")])
        return answers

    def conclude(self, visits: Any) -> Any:
        answers = self._around("conclude", self._inner.conclude)(visits)
        self._write("conclude", [claim.row_id for claim, _ in visits])
        return answers

    def _write(self, what: str, row_ids: list[str]) -> None:
        self._log.write("".join(f"{time.time()} {what} {row_id}\n" for row_id in row_ids))
