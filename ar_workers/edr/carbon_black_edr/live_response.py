"""Live Response: a session with a sensor, commands that look, and orders that act. All are JSON; there is no shell to quote for."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ...domain.endpoints import OS
from ...domain.errors import Denied, Unsupported, VendorFault
from ...domain.keys import hive_problem, registry_problem
from ...domain.paths import path_problem, process_problem
from ...domain.text import whole
from .api import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...domain.indicators import Process, RegistryKey
    from .api import ResponseAPI

SESSIONS = "/api/v1/cblr/session"
DELETE_FILE = "delete file"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
#: Sensors check in every 30 seconds or so, and join a session then.
_CHECK_IN = timedelta(seconds=15)
_GONE = frozenset({404})
_SWITCHED_OFF = 412
_OVER = frozenset({"complete", "error", "canceled", "cancelled"})
#: ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND as HRESULTs, and what is left of them, or of ENOENT, without a facility.
_ABSENT = frozenset({0x80070002, 0x80070003, 2, 3})
#: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION, likewise, and EPERM, EACCES, EBUSY and ETXTBSY.
_LOCKED = frozenset({0x80070005, 0x80070020, 0x80070021, 5, 32, 33, 1, 13, 16, 26})

_Found = TypeVar("_Found")


class Order(NamedTuple):
    """A command that changes the endpoint: its name, and the one thing that it acts on."""

    name: str
    target: str | int


@dataclass(frozen=True)
class Outcome:
    """What has become of a command."""

    status: str
    code: int = 0
    words: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in _OVER

    @property
    def problem(self) -> str:
        """Why it did not succeed, for people; empty if it did."""
        if self.status == "complete" and not self.code:
            return ""
        return whole(f"{self.status} 0x{self.code:08X} {self.words}")

    @property
    def says_absent(self) -> bool:
        """Whether it failed because its object is not there."""
        return self.is_over and self.code in _ABSENT

    @property
    def says_locked(self) -> bool:
        """Whether it failed because somebody holds its object, or nobody may touch it."""
        return self.is_over and self.code in _LOCKED


class Shell:
    """A session with one sensor. Sessions are shared: whoever asks for the same sensor meets in the same one.

    It is never closed, because somebody else may be in it; the server ends it after five idle minutes.
    """

    def __init__(self, api: ResponseAPI, sensor: int, session: str, *, patience: float) -> None:
        self._api, self._sensor, self._patience = api, sensor, patience
        self.session = session

    def open(self, *needs: str) -> Shell:
        """Join the sensor's session or ask for one, and wait a little until the sensor is in it.

        Raises Unsupported if the sensor does not know the commands in `needs`, and VendorFault if it has not come yet.
        """
        found = self._sessions()
        self.session = found[0] if found else self._create()
        known = self._asked(self._commands)
        if known is None:
            raise VendorFault(f"Live Response: sensor {self._sensor} has not joined the session yet", retry_after=_CHECK_IN)
        missing = [each for each in needs if each not in known]
        if known and missing:
            raise Unsupported(f"the sensor does not know the command {missing[0]!r}")
        return self

    def is_under_way(self, order: Order) -> bool:
        """Whether the same order, by anybody, is still to be carried out in a session of this sensor.

        It may be our own whose number was lost with a worker; the session keeps its commands.
        """
        wanted = order.name, str(order.target).casefold()
        return any(
            (row.get("name"), str(row.get("object")).casefold()) == wanted and not _outcome(row).is_over
            for session in self._sessions()
            for row in self._listed(session)
        )

    def look(self, name: str, target: str | None = None) -> Outcome:
        """Run a command that only reads, and wait for its end. Raises VendorFault if that takes too long."""
        command = self._post(name, target)
        found = self._asked(lambda: self._ended(command))
        if found is None:
            raise VendorFault(f"Live Response {name}: the sensor has not answered in time")
        return found

    def act(self, order: Order) -> str:
        """Give one order; returns its number in the session. Sent once, never waited for."""
        return self._post(order.name, order.target)

    def outcome(self, command: str) -> Outcome | None:
        """What has become of a command. None: its session is gone, and took it along."""
        reply = self._api.get(f"{SESSIONS}/{self.session}/command/{command}", expects=_GONE)
        return _outcome(reply.body) if isinstance(reply.body, dict) and reply.status not in _GONE else None

    def entry(self, path: str, os: OS) -> dict[str, Any] | None:
        """The file or folder at `path`, as the list of its folder shows it. None: there is none."""
        folder, name = _parted(path)
        found = self.look("directory list", folder)
        if found.says_absent:
            return None
        rows = rows_of(found, "files", "directory list")
        return next((each for each in rows if same_name(str(each.get("filename")), name, os)), None)

    def sha256_of(self, path: str) -> str:
        """The SHA-256 of a file, which the server fetches and we hash: no command tells it. Empty if it cannot be read."""
        found = self.look("get file", path)
        file = None if found.problem else number(found.body.get("file_id"))
        if file is None:
            return ""
        return self._api.sha256_of(f"{SESSIONS}/{self.session}/file/{file}/content")

    def _sessions(self) -> list[str]:
        """The sensor's live sessions, those that it has joined first."""
        rows = [row for row in self._api.rows(SESSIONS, active_only="true") if number(row.get("sensor_id")) == self._sensor]
        live = [(str(row.get("status")), str(row.get("id"))) for row in rows if row.get("status") in {"active", "pending"}]
        return [session for _, session in sorted(live)]

    def _create(self) -> str:
        reply = self._api.send("POST", SESSIONS, {"sensor_id": self._sensor}, expects=frozenset({_SWITCHED_OFF}))
        if reply.status == _SWITCHED_OFF:
            raise Denied("Live Response is switched off on the server (CbLREnabled)", code=str(_SWITCHED_OFF))
        return _number_in(reply.body, "session")

    def _commands(self) -> list[str] | None:
        """The commands that the sensor knows, once it has joined the session."""
        reply = self._api.get(f"{SESSIONS}/{self.session}", expects=_GONE)
        body = reply.body if isinstance(reply.body, dict) else {}
        if number(body.get("sensor_id")) != self._sensor or body.get("status") not in {"active", "pending"}:
            raise VendorFault(f"Live Response: the session with sensor {self._sensor} has ended", retry_after=_CHECK_IN)
        return [str(each) for each in body.get("supported_commands") or []] if body["status"] == "active" else None

    def _listed(self, session: str) -> list[dict[str, Any]]:
        reply = self._api.get(f"{SESSIONS}/{session}/command", expects=_GONE)
        return [row for row in reply.body if isinstance(row, dict)] if isinstance(reply.body, list) else []

    def _post(self, name: str, target: str | int | None) -> str:
        """One command. Its argument is called `object`, whatever the command is."""
        body = {"session_id": int(self.session), "name": name} | ({} if target is None else {"object": target})
        try:
            reply = self._api.send("POST", f"{SESSIONS}/{self.session}/command", body)
        except Denied as error:
            # The words are the server's own, which knows no other language; there is no code for it.
            if error.code == "404" or "not active" in str(error):
                raise VendorFault(f"Live Response: the session with sensor {self._sensor} has ended", code=error.code) from None
            raise
        return _number_in(reply.body, name)

    def _ended(self, command: str) -> Outcome | None:
        found = self.outcome(command)
        return found if found and found.is_over else None

    def _asked(self, question: Callable[[], _Found | None]) -> _Found | None:
        """The answer to `question`, which is asked again and again while there is none and patience lasts."""
        deadline = time.monotonic() + self._patience
        for pause in itertools.chain(_PAUSES, itertools.repeat(1.0)):
            found = question()
            if found is not None or time.monotonic() > deadline:
                return found
            time.sleep(pause)
        return None


def _outcome(row: Mapping[str, Any]) -> Outcome:
    # A WinHresult is written with or without its sign.
    code = (number(row.get("result_code")) or 0) & 0xFFFFFFFF
    return Outcome(str(row.get("status")).lower(), code, str(row.get("result_desc") or ""), row)


def _number_in(body: Any, what: str) -> str:
    found = number(body.get("id")) if isinstance(body, dict) else None
    if found is None:
        raise VendorFault(f"Live Response {what}: no id in the reply")
    return str(found)


_SHORT_NAME = re.compile(r"~\d")


def kill_order(process: Process) -> Order:
    """Kill this pid. Raises Denied with the reason why it must not be."""
    _refuse(process_problem(process))
    return Order("kill", process.pid)


def delete_order(path: str, os: OS) -> Order:
    """Delete the file at this path, and no other. Raises Denied with the reason why it must not be."""
    _refuse(path_problem(path, os))
    # A file is looked for by name in its folder's list, which shows neither 8.3 names nor what Windows strips from an end.
    if _SHORT_NAME.search(path) or path.endswith((".", " ")):
        raise Denied("not the path as the file system lists it: write the long name, without a final dot or space")
    return Order(DELETE_FILE, path)


def registry_order(registry: RegistryKey) -> Order:
    """Delete the key, or the one value. Raises Denied with the reason why it must not be, Unsupported for a user's own hive."""
    hive = hive_problem(registry)
    if hive:
        raise Unsupported(hive)
    _refuse(registry_problem(registry))
    if registry.value is None:
        return Order("reg delete key", registry.key)
    if "\\" in registry.value:
        raise Denied("the value's name has a backslash, and would name a value of another key")
    return Order("reg delete value", f"{registry.key}\\{registry.value}")


def _refuse(problem: str | None) -> None:
    if problem:
        raise Denied(problem)


def _parted(path: str) -> tuple[str, str]:
    """The folder with its final separator, and the name."""
    at = max(path.rfind("\\"), path.rfind("/")) + 1
    return path[:at], path[at:]


def same_name(one: str, other: str, os: OS) -> bool:
    """Whether the two name the same on this OS: only Linux minds upper and lower case."""
    return one == other if os is OS.LINUX else one.casefold() == other.casefold()


def rows_of(outcome: Outcome, name: str, what: str) -> list[dict[str, Any]]:
    """A list in the result of a command that succeeded. Raises VendorFault if it did not, or shows no list."""
    found = outcome.body.get(name)
    if outcome.problem or not isinstance(found, list):
        raise VendorFault(f"Live Response {what}: {outcome.problem or 'no list in the result'}")
    return [each for each in found if isinstance(each, dict)]
