"""The Redis or Valkey that arctl starts: an ordinary server process, with its data kept in a folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import redis

from ..domain.errors import ARError
from ..domain.redis_users import User, hashed, lines
from ..ledger.servers import CONFIG
from .logs import LARGE, put_away
from .private import UMASK, private_file, private_folder
from .processes import die_with_parent
from .server_binary import server_binary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from .server_binary import Binary

START_DEADLINE = 15.0
#: The users' file, beside the settings. What stands in it is made anew by each start.
USERS = "users.acl"
#: Bytes of a socket's path: 108 on Linux and 104 on macOS, with a NUL at the end.
LONGEST = 103


class Door(Protocol):
    """Where a server can be reached."""

    @property
    def url(self) -> str:
        """For clients."""

    def open(self) -> Mapping[str, object]:
        """Make what it needs; the server's settings that lead there."""

    def close(self) -> None:
        """Remove what was made."""


class Port:
    """A port on loopback, which everybody on this machine can reach: for tests and measurements."""

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def url(self) -> str:
        """For clients."""
        return f"redis://127.0.0.1:{self.number}/0"

    def open(self) -> Mapping[str, object]:
        """The server's settings."""
        return {"bind": "127.0.0.1", "port": self.number}

    def close(self) -> None:
        """There is nothing to remove."""


class Socket:
    """A socket that only its owner reaches, in a folder that only its owner enters; and the users of `logins`, or without any one
    password, which is new each time.

    A folder whose path is too long for a socket gets one in the machine's folder for temporary files.
    """

    def __init__(self, folder: Path, logins: Mapping[User, str] | None = None) -> None:
        self._folder = folder.absolute()
        self._elsewhere: Path | None = None
        self._logins = logins
        self._password = secrets.token_urlsafe(32)

    @property
    def path(self) -> Path:
        """The socket."""
        return (self._elsewhere or self._folder) / "redis.sock"

    @property
    def url(self) -> str:
        """For clients; where there are users, for `arctl`."""
        login = f"{User.ARCTL}:{quote(self._logins[User.ARCTL], safe='')}" if self._logins else f":{self._password}"
        return f"unix://{login}@{quote(str(self.path))}?db=0"

    def open(self) -> Mapping[str, object]:
        """The server's settings. Raises ARError if no folder is short enough."""
        if _is_too_long(self.path):
            self._elsewhere = Path(tempfile.mkdtemp(prefix="ar-"))
        if _is_too_long(self.path):
            self.close()
            raise ARError(
                f"{self._folder} is too long a name for a socket, and so is {tempfile.gettempdir()}: set AR_HOME to a shorter one"
            )
        return {"port": 0, "unixsocket": self.path, "unixsocketperm": 700, **self._who_comes_in()}

    def _who_comes_in(self) -> Mapping[str, object]:
        if not self._logins:
            return {"requirepass": self._password}
        users = self._folder / USERS
        with private_file(users, "w") as file:
            file.writelines(f"{each}\n" for each in lines({user: hashed(password) for user, password in self._logins.items()}))
        return {"aclfile": users}

    def close(self) -> None:
        """Remove the folder that was made."""
        if self._elsewhere:
            shutil.rmtree(self._elsewhere, ignore_errors=True)
            self._elsewhere = None


def _is_too_long(path: Path) -> bool:
    return len(os.fsencode(path)) > LONGEST


class RedisServer:
    """A server in `folder`, started by `start`. `stop` and `kill` keep its data; `start` again brings it back.

    A `private` one is reached by its owner alone, over a `Socket`; any other over a `Port`. With `logins` it has the users of
    `domain.redis_users`, with these passwords, and no other.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        private: bool = False,
        logins: Mapping[User, str] | None = None,
        fsync: str = "everysec",
        memory: str = "1gb",
        extra: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._extra = tuple(extra)
        self._fsync, self._memory = fsync, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._binary: Binary | None = None
        self._door: Door = Socket(folder, logins) if private else Port(port or free_port())

    @property
    def url(self) -> str:
        """Its address for clients; that of a private one has its password in it."""
        return self._door.url

    @property
    def port(self) -> int:
        """Its port. Raises ARError for a private one."""
        if not isinstance(self._door, Port):
            raise ARError("a private server has no port")
        return self._door.number

    @property
    def pid(self) -> int:
        """The server's process; raises ARError if it was never started."""
        if self._process is None:
            raise ARError("the server was not started")
        return self._process.pid

    @property
    def binary(self) -> Binary:
        """What was started last; raises ARError if nothing was."""
        if self._binary is None:
            raise ARError("the server was not started")
        return self._binary

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start, and wait until it answers. Raises ARError naming its log if it does not."""
        private_folder(self._folder, with_all_in_it=True)
        log = self._folder / "redis.log"
        put_away(log, only_from=LARGE if self._process else 0)
        command = self._command()
        with private_file(log, "ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a binary that `server_binary` has checked
                command,
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
        """The settings travel in a file: what stands on a command line is read by everybody."""
        settings = {
            **self._door.open(),
            "dir": self._folder.absolute(),
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
        path = self._folder.absolute() / CONFIG
        with private_file(path, "w") as file:
            file.writelines(f"{name} {_quoted(str(value))}\n" for name, value in settings.items())
        self._binary = server_binary()
        return [str(self._binary.path), str(path), *self._extra]

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_DEADLINE
        with redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1) as client:
            while time.monotonic() < deadline and self.is_alive:
                with contextlib.suppress(redis.RedisError):
                    if client.ping():
                        return
                time.sleep(0.02)
        self.kill()
        raise ARError(f"{self.binary} did not start: see {log}; if another server wrote its data, name that one in AR_REDIS_SERVER")

    def stop(self) -> None:
        """Let it save and end; kill it if it does not within five seconds."""
        if self._process and self.is_alive:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self.kill()
        self._door.close()

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


def _quoted(value: str) -> str:
    """As a settings file wants a value that may have spaces in it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
