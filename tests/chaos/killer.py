"""What goes wrong on purpose, each from a seed: processes are killed, frozen and asked to stop, Redis dies and comes back."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from ar_workers.cli.processes import Child
    from tests.chaos.fleet import Fleet, Troop


#: Shares of SIGKILL, SIGSTOP and SIGTERM.
WEIGHTS = (0.8, 0.1, 0.1)


@dataclass
class Killer:
    """Every now and then, one of the fleet's workers or beats: SIGKILL mostly, a freeze or a SIGTERM now and then."""

    fleet: Troop
    seed: int
    pauses: tuple[float, float] = (0.5, 3.0)
    most: int | None = None
    weights: tuple[float, float, float] = WEIGHTS
    longest_freeze: float = 9.0
    kills: list[tuple[float, int]] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"killer/{self.seed}")
        self._next = time.monotonic() + self._chance.uniform(*self.pauses)
        self._frozen: dict[int, float] = {}

    def __call__(self) -> None:
        self._thaw()
        if time.monotonic() < self._next or (self.most is not None and self.done >= self.most):
            return
        self._next = time.monotonic() + self._chance.uniform(*self.pauses)
        victims = [each for each in self.fleet.children("worker", "beat") if each.is_alive and self._pid(each) not in self._frozen]
        number = self._chance.choices((signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM), self.weights)[0]
        if victims:
            self._strike(self._chance.choice(victims), number)

    def _strike(self, victim: Child, number: signal.Signals) -> None:
        pid = self._pid(victim)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        self.done += 1
        if number == signal.SIGKILL:
            self.kills.append((time.time(), pid))
        if number == signal.SIGSTOP:
            self._frozen[pid] = time.monotonic() + self._chance.uniform(0.2, self.longest_freeze)

    def _thaw(self, *, all_of_them: bool = False) -> None:
        for pid, until in list(self._frozen.items()):
            if all_of_them or time.monotonic() > until:
                del self._frozen[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGCONT)

    def stop(self) -> None:
        """No more of it."""
        self.most = self.done
        self._thaw(all_of_them=True)

    @staticmethod
    def _pid(child: Child) -> int:
        return child.process.pid if child.process else 0


@dataclass
class Roller:
    """A rolling restart: one worker after the other is asked to stop under load, the next one once all are ready again."""

    fleet: Troop
    most: int
    done: int = 0

    def __post_init__(self) -> None:
        self._stopping: subprocess.Popen[bytes] | None = None

    def __call__(self) -> None:
        workers = self.fleet.children("worker")
        is_over = self._stopping is None or self._stopping.poll() is not None
        if self.done >= self.most or not is_over or not all(map(self.fleet.is_ready, workers)):
            return
        self._stopping = workers[self.done % len(workers)].process
        if self._stopping:
            os.killpg(self._stopping.pid, signal.SIGTERM)
            self.done += 1


@dataclass
class RedisKiller:
    """SIGKILL to Redis, and its restart after a while; its data is what the crash left of it."""

    fleet: Fleet
    seed: int
    pauses: tuple[float, float] = (5.0, 40.0)
    down: tuple[float, float] = (0.0, 2.0)
    most: int | None = None
    done: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"redis/{self.seed}")
        self._next = time.monotonic() + self._chance.uniform(*self.pauses)

    def __call__(self) -> None:
        if time.monotonic() < self._next or (self.most is not None and self.done >= self.most):
            return
        if self.fleet.redis.is_alive:
            self.fleet.redis.kill()
            self._next = time.monotonic() + self._chance.uniform(*self.down)
        else:
            self.back()

    def back(self) -> None:
        """Redis runs when this returns."""
        if not self.fleet.redis.is_alive:
            self.fleet.redis.start()
            self.done += 1
        self._next = time.monotonic() + self._chance.uniform(*self.pauses)


def reclaims(folder: Path, kills: list[tuple[float, int]]) -> list[float]:
    """For each row that a killed process held: the seconds from the kill until another process took it."""
    claims: dict[str, list[float]] = {}
    held: list[tuple[str, float]] = []
    killed = {pid: at for at, pid in kills}
    for path in folder.glob("claims-*"):
        pid, open_rows = int(path.name.partition("-")[2]), {}
        for line in path.read_text().splitlines():
            at, what, row = line.split(" ", 2)
            if what == "claim":
                claims.setdefault(row, []).append(float(at))
                open_rows[row] = float(at)
            else:
                open_rows.pop(row, None)
        if pid in killed:
            held += [(row, killed[pid]) for row in open_rows]
    found = ([at for at in claims[row] if at > since] for row, since in held)
    return sorted(min(later) - since for later, (_, since) in zip(found, held, strict=True) if later)
