"""Child processes of `arctl up` and `arctl demo`: started, watched, restarted when they die, and all gone at the end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .logs import LARGE, put_away
from .private import UMASK, private_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
#: A child that dies again at once is restarted after this many seconds, not in a tight loop.
PAUSE = 1.0
#: Celery finishes what it has in hand on SIGTERM; after this it is killed, and the leases expire.
PATIENCE = 8.0
#: Seconds until an interrupt that Python dropped is raised again.
DROPPED = 0.05
#: What ends us: people, supervisors, and the timer that repeats them.
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@dataclass
class Child:
    """One command that is to run all the time."""

    name: str
    command: Sequence[str]
    log: Path
    more: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Crew:
    """All children. Each is the leader of a session of its own, so that Ctrl-C reaches only us, who then stop them."""

    environment: Mapping[str, str]
    folder: Path
    children: list[Child] = field(default_factory=list)

    def add(self, name: str, /, *command: str, **more: str) -> Child:
        """Start `python -m command...` under this name, with its output in a new `name.log` and its id in `name.pid`; `more` is its
        alone of the environment.
        """
        child = Child(name, [sys.executable, "-m", *command], self.folder / f"{name}.log", more)
        self.children.append(child)
        self._start(child)
        return child

    def mend(self) -> list[str]:
        """Restart what has died; the names of what was restarted."""
        dead = [child for child in self.children if not child.is_alive and time.monotonic() - child.started > PAUSE]
        for child in dead:
            child.restarts += 1
            self._start(child)
        return [child.name for child in dead]

    def stop(self) -> None:
        """Ask all to stop, last started first, and kill who does not."""
        alive = [child.process for child in reversed(self.children) if child.process and child.is_alive]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        put_away(child.log, only_from=LARGE if child.restarts else 0)
        with private_file(child.log, "ab") as log:
            child.process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self.environment, **child.more},
                start_new_session=True,
                preexec_fn=die_with_parent(),
                umask=UMASK,
            )
        with private_file(child.log.with_suffix(".pid"), "w") as file:
            file.write(str(child.process.pid))


def die_with_parent() -> Callable[[], None] | None:
    """On Linux: the kernel kills the child when its parent is gone, even by SIGKILL. Elsewhere there is no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: leave, but tidily."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into Interrupted, and ignore more of them while the crew is stopped.

    Python drops what is raised while it forks or finalises something: an Interrupted that it drops is raised again.
    """

    def leave(number: int, _: object) -> None:
        _handle(signal.SIG_IGN)
        raise Interrupted(number)

    def leave_later(dropped: Any) -> None:
        if not isinstance(dropped.exc_value, Interrupted):
            hook(dropped)
            return
        _handle(leave)
        signal.setitimer(signal.ITIMER_REAL, DROPPED)

    before, hook = {each: signal.getsignal(each) for each in _ENDS}, sys.unraisablehook
    _handle(leave)
    sys.unraisablehook = leave_later
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(handler: Any) -> None:
    for each in _ENDS:
        signal.signal(each, handler)
