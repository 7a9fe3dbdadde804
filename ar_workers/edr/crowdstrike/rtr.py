"""Real Time Response: the sensor's own shell. Reads to look, one command to act; failures hide in `stderr`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...domain.errors import Denied, Unsupported, VendorFault
from ...domain.keys import hive_problem, registry_problem
from ...domain.paths import path_problem, process_problem
from ...domain.text import whole
from .api import Answer, raise_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...domain.endpoints import OS
    from ...domain.indicators import Process, RegistryKey
    from .api import FalconAPI

SESSIONS = "/real-time-response/entities/sessions/v1"
READING = "/real-time-response/entities/command/v1"
ACTING = "/real-time-response/entities/active-responder-command/v1"
#: A look waits so long for the sensor's answer; a longer one is looked for again later.
PATIENCE = 8.0
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
MOST_CHUNKS = 200
SESSION_GONE = "40002"
_NOTHING = Answer(status=404, resources=[], errors=[], pagination={})


@dataclass(frozen=True)
class Output:
    """What a command printed, once it is complete. It failed if there is a `stderr`, whose words are in the endpoint's language."""

    complete: bool
    stdout: str = ""
    stderr: str = ""


class Shell:
    """A session with one endpoint's sensor. The same API client is given the session it already has."""

    def __init__(self, api: FalconAPI, agent_id: str, session_id: str = "", *, patience: float = PATIENCE) -> None:
        self._api, self._agent_id, self._patience = api, agent_id, patience
        self.session_id = session_id

    def open(self) -> Shell:
        """Connect. Raises EndpointOffline: a command queued for days would run at a time that nobody chose."""
        body = {"device_id": self._agent_id, "origin": "ar_workers", "queue_offline": False}
        answer = self._api.send("POST", SESSIONS, body, expects=frozenset({400, 404}))
        raise_first(answer, "RTR session")
        self.session_id = str(_only(answer, "RTR session").get("session_id", ""))
        return self

    def look(self, base: str, *arguments: str) -> Output:
        """Run a read-only command to its end. Raises VendorFault if that takes too long."""
        output = self.read(base, *arguments)
        if not output.complete:
            raise VendorFault(f"RTR {base}: the sensor has not answered in time")
        return output

    def read(self, base: str, *arguments: str) -> Output:
        """Run a read-only command and wait for its whole output; incomplete if that takes too long."""
        answer = self._api.send("POST", READING, self._body(base, arguments))
        raise_first(answer, f"RTR {base}")
        request_id = str(_only(answer, f"RTR {base}").get("cloud_request_id", ""))
        deadline = time.monotonic() + self._patience
        for pause in self._pauses():
            output = self.output_of(request_id, READING)
            if output.complete or time.monotonic() > deadline:
                return output
            time.sleep(pause)
        return Output(complete=False)

    @staticmethod
    def _pauses() -> Iterator[float]:
        yield from _PAUSES
        while True:
            yield _PAUSES[-1]

    def act(self, base: str, *arguments: str) -> str:
        """Send one command that changes the endpoint; returns Falcon's id of it. Sent once, never waited for."""
        answer = self._api.send("POST", ACTING, self._body(base, arguments))
        raise_first(answer, f"RTR {base}")
        return str(_only(answer, f"RTR {base}").get("cloud_request_id", ""))

    def output_of(self, request_id: str, route: str) -> Output:
        """What a command has printed. Long output comes in chunks, the last of which is followed by none."""
        stdout, stderr, complete = [], [], False
        for sequence in range(MOST_CHUNKS):
            chunk = self._chunk(request_id, route, sequence)
            if chunk is None:
                break
            complete = bool(chunk.get("complete"))
            stdout.append(str(chunk.get("stdout") or ""))
            stderr.append(str(chunk.get("stderr") or ""))
            if not stdout[-1]:
                break
        return Output(complete, "".join(stdout), whole("".join(stderr)))

    def _chunk(self, request_id: str, route: str, sequence: int) -> dict[str, object] | None:
        answer = (
            self._api.get(route, cloud_request_id=request_id, sequence_id=0) if sequence == 0 else self._later(request_id, route, sequence)
        )
        raise_first(answer, "RTR output")
        chunk = answer.resources[0] if answer.resources else None
        is_asked = isinstance(chunk, dict) and int(chunk.get("sequence_id") or 0) == sequence
        return chunk if is_asked else None

    def _later(self, request_id: str, route: str, sequence: int) -> Answer:
        """A chunk that may not exist: how Falcon answers then is not documented, so any refusal ends the output."""
        try:
            return self._api.get(route, cloud_request_id=request_id, sequence_id=sequence)
        except Denied:
            return _NOTHING

    def _body(self, base: str, arguments: tuple[str, ...]) -> dict[str, object]:
        return {
            "base_command": base.split(maxsplit=1)[0],
            "command_string": command_string(base, *arguments),
            "session_id": self.session_id,
            "device_id": self._agent_id,
            "persist": False,
        }


def command_string(base: str, *arguments: str) -> str:
    """`base` and each argument in double quotes (a pid bare), as the sensor's shell reads them.

    Raises Denied for a value that could end the quotes or start a second command; nothing is escaped, because
    no two of the vendor's shells agree on how.
    """
    for each in arguments:
        if not is_quotable(each):
            raise Denied("argument cannot be quoted safely for the remote shell")
    quoted = [each if each.isascii() and each.isdigit() else f'"{each}"' for each in arguments]
    return " ".join([base, *quoted])


def is_quotable(value: str) -> bool:
    """Whether `value` survives double quotes in every shell of the vendor's sensors."""
    return bool(value.strip()) and not _UNSAFE.search(value) and not value.endswith("\\")


_UNSAFE = re.compile(r"[\"'`$;&|<>*?%\x00-\x1f\x7f-\x9f\u2028\u2029]")


def path_argument(path: str, os: OS) -> str:
    """A file path that is safe to act on. Raises Denied with the reason."""
    return _checked(path, path_problem(path, os))


def registry_arguments(registry: RegistryKey) -> tuple[str, ...]:
    """A registry key, and the value's name if one is meant. Raises Denied or Unsupported with the reason."""
    hive = hive_problem(registry)
    if hive:
        raise Unsupported(hive)
    key = _checked(registry.key, registry_problem(registry))
    return (key, registry.value) if registry.value else (key,)


def pid_argument(process: Process) -> str:
    """A pid that may be killed. Raises Denied with the reason."""
    return _checked(str(process.pid), process_problem(process))


def _checked(value: str, problem: str | None) -> str:
    if problem:
        raise Denied(problem)
    return value


def _only(answer: Answer, what: str) -> dict[str, object]:
    first = answer.resources[0] if answer.resources else None
    if not isinstance(first, dict):
        raise VendorFault(f"{what}: {answer.status} without a resource")
    return first


_PID_COLUMN = re.compile(r"\bpid\b", re.IGNORECASE)


def process_line(listing: str, pid: int) -> str | None:
    """The line of `ps` that tells of `pid`, or None. The order of the columns is not documented, so the header decides."""
    lines = listing.splitlines()
    header = next((line for line in lines if _PID_COLUMN.search(line)), "")
    words = [word.casefold() for word in header.split()]
    is_first = words[:1] == ["pid"]
    shape = re.compile(rf"^\s*{pid}\s") if is_first else re.compile(rf"(?:^|\s){pid}(?:\s|$)")
    return next((line for line in lines if line is not header and shape.search(line)), None)


#: A slash within a word is a date's.
_PATH = re.compile(r"(?<!\S)(?:[A-Za-z]:\\|/)\S*(?: \S+)*")


def path_in(line: str) -> str:
    """The image path in a line of `ps`, or an empty text."""
    found = _PATH.search(line)
    return found.group() if found else ""


def name_in(line: str) -> str:
    """What a line of `ps` without a path calls the process: the first column that is neither a number nor a time."""
    columns = re.split(r"\t|\s{2,}", line.strip())
    words = columns if len(columns) > 1 else line.split()
    return next((word for word in words if not re.fullmatch(r"[\d.:TZ+/ -]*", word)), "")


#: The key whose value SystemRoot is the folder of Windows itself.
WINDOWS_ITSELF = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_LETTER = re.compile(r"(?<![A-Za-z0-9\\])([A-Za-z]:)(?=\\?(?:[\s,|]|$))")
_FOLDER = re.compile(r"SystemRoot\s+REG_\w+\s+([A-Za-z]:\\\S.*?)\\?\s*$", re.IGNORECASE | re.MULTILINE)


def drive_in(listing: str, volume: str) -> str:
    """The drive that `mount` shows on the line of a volume, or an empty text. What its columns are is not documented."""
    is_named = re.compile(rf"{re.escape(volume)}(?![0-9])", re.IGNORECASE)
    letters = [found[1] for line in listing.splitlines() if is_named.search(line) and (found := _LETTER.search(line))]
    return letters[0] if letters else ""


def folder_in(output: str) -> str:
    """The folder that `reg query` shows as SystemRoot, or an empty text."""
    found = _FOLDER.search(output)
    return found[1] if found else ""


def sha256_in(output: str) -> str:
    """The SHA-256 that `filehash` printed, or an empty text."""
    found = re.search(r"\b[0-9a-fA-F]{64}\b", output)
    return found.group().lower() if found else ""
