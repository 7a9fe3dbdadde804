"""Live Response: commands that the sensor carries out one after the other, within a session of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ...domain.errors import Denied, EndpointNotFound, EndpointOffline, VendorFault
from ...domain.text import whole
from .devices import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .api import Answer, CloudAPI

SESSIONS = "/appservices/v6/orgs/{org}/liveresponse/sessions"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
_WAITING, _OPEN = "PENDING", "ACTIVE"
#: A command without a status says nothing, as one that runs.
_RUNNING = frozenset({"PENDING", "IN PROGRESS", ""})
#: ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND as HRESULT, and ENOENT.
_ABSENT_CODES = frozenset({0x80070002, 0x80070003, 2})
#: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION as HRESULT, and EPERM, EACCES, EBUSY and ETXTBSY.
_LOCKED_CODES = frozenset({0x80070005, 0x80070020, 0x80070021, 1, 13, 16, 26})
_GONE = frozenset({404})


@dataclass(frozen=True)
class Command:
    """What is known of one command: upper-case status (the vendor's case varies), and what it brought or said."""

    id: str
    status: str
    body: Mapping[str, Any]

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.status not in _RUNNING

    @property
    def is_complete(self) -> bool:
        """Whether the sensor has done it."""
        return self.status == "COMPLETE"

    @property
    def is_absent(self) -> bool:
        """Whether it failed because its object is not there: by the code alone, as the words are in the endpoint's language."""
        return self.status == "ERROR" and self._code in _ABSENT_CODES

    @property
    def is_locked(self) -> bool:
        """Whether it failed because somebody holds its object, or nobody may touch it."""
        return self.status == "ERROR" and self._code in _LOCKED_CODES

    @property
    def said(self) -> str:
        """The failure in words, and by the code that they stand for."""
        return whole(f"{self.body.get('result_desc') or ''} ({self.status.lower()} 0x{self._code:08X})")

    @property
    def _code(self) -> int:
        try:
            return int(self.body.get("result_code") or 0) & 0xFFFFFFFF
        except (ValueError, TypeError):
            return 0

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A list of objects that it brought."""
        found = self.body.get(name)
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


class LiveResponse:
    """The sessions of one organisation, each known by its endpoint and used again while it lives.

    The ledger's lane keeps visits to an endpoint apart; a race of two would cost a second session, no more.
    """

    def __init__(self, api: CloudAPI, *, patience: float) -> None:
        self._api, self._patience = api, patience
        self._known: dict[str, str] = {}

    def session(self, agent_id: str) -> Session:
        """A session that the sensor has joined. Raises EndpointOffline while it has not; it may at the next look."""
        deadline = time.monotonic() + self._patience
        state = self._again(agent_id) or self._new(agent_id)
        session_id = self._known[agent_id] = str(state.get("id") or "")
        for pause in _pauses(deadline):
            if _status(state) != _WAITING:
                break
            time.sleep(pause)
            state = self._state(session_id) or {}
        if _status(state) != _OPEN:
            raise EndpointOffline(f"Live Response: the sensor has not joined the session ({_status(state) or 'gone'})")
        return Session(self._api, session_id, deadline, state.get("supported_commands"))

    def resumed(self, session_id: str) -> Session:
        """A session by its id, without asking whether it lives."""
        return Session(self._api, session_id, time.monotonic() + self._patience)

    def _again(self, agent_id: str) -> Mapping[str, Any] | None:
        session_id = self._known.get(agent_id)
        state = self._state(session_id) if session_id else None
        return state if state and _status(state) in {_WAITING, _OPEN} else None

    def _new(self, agent_id: str) -> Mapping[str, Any]:
        """What a second session for a device means is not documented: the same one, another one, or a conflict."""
        answer = self._api.post(SESSIONS, {"device_id": number_of(agent_id)}, expects=frozenset({404, 409}))
        if answer.status == 404:  # noqa: PLR2004
            raise EndpointNotFound(f"Carbon Black Cloud knows no device {agent_id}")
        if answer.status == 409:  # noqa: PLR2004 - somebody else is connected now, and will not be for ever
            raise VendorFault(whole(f"Live Response: no session: {answer.body.get('message') or 'conflict'}"), code="409")
        if not answer.body.get("id"):
            raise VendorFault(f"Live Response: {answer.status} without a session")
        return answer.body

    def _state(self, session_id: str) -> Mapping[str, Any] | None:
        answer = self._api.get(f"{SESSIONS}/{quote(session_id, safe=':')}", expects=_GONE)
        return None if answer.status in _GONE else answer.body


class Session:
    """One session; all its waits share one deadline."""

    def __init__(self, api: CloudAPI, session_id: str, deadline: float, supported: object = None) -> None:
        self._api, self._deadline = api, deadline
        self._supported = frozenset(map(str, supported)) if isinstance(supported, list) else None
        self._path = f"{SESSIONS}/{quote(session_id, safe=':')}"
        self.id = session_id

    def read(self, name: str, **arguments: str | int) -> Command:
        """Run a command that changes nothing, and wait for it. Raises VendorFault if that takes too long."""
        command = self._started(name, arguments)
        for pause in _pauses(self._deadline):
            if command.is_over:
                break
            time.sleep(pause)
            command = self.command(command.id) or command
        if not command.is_over:
            raise VendorFault(f"Live Response {name}: the sensor has not answered in time")
        return command

    def act(self, name: str, **arguments: str | int) -> str:
        """Send one command that changes the endpoint; returns the vendor's id of it. Sent once, never waited for."""
        return self._started(name, arguments).id

    def command(self, command_id: str) -> Command | None:
        """What is known of a command; None once its session is gone."""
        answer = self._api.get(f"{self._path}/commands/{quote(command_id, safe='')}", expects=_GONE)
        return None if answer.status in _GONE else _command(answer, command_id)

    def sha256_of(self, path: str) -> tuple[Command, str]:
        """The SHA-256 of a file: no command hashes on the endpoint, so the file is fetched. Empty if it cannot be read."""
        command = self.read("get file", path=path)
        details = command.body.get("file_details")
        file_id = details.get("file_id") if isinstance(details, dict) else None
        if not command.is_complete or not file_id:
            return command, ""
        try:
            return command, self._api.sha256_of(f"{self._path}/files/{quote(str(file_id), safe='')}/content")
        except Denied:
            return command, ""

    def _started(self, name: str, arguments: Mapping[str, str | int]) -> Command:
        if self._supported is not None and name not in self._supported:
            raise Denied(f"Live Response: the sensor of this endpoint has no command {name!r}")
        answer = self._api.post(f"{self._path}/commands", {"name": name, **arguments}, expects=_GONE)
        if answer.status in _GONE:
            raise EndpointOffline(f"Live Response {name}: the session has ended", code="404")
        command_id = answer.body.get("id")
        if command_id is None:
            raise VendorFault(f"Live Response {name}: {answer.status} without a command")
        return _command(answer, str(command_id))


def _command(answer: Answer, command_id: str) -> Command:
    return Command(command_id, _status(answer.body), answer.body)


def _status(body: Mapping[str, Any]) -> str:
    return str(body.get("status") or "").upper()


def _pauses(deadline: float) -> Iterator[float]:
    """Growing pauses until the deadline; at least one."""
    yield _PAUSES[0]
    for pause in (*_PAUSES[1:], *(_PAUSES[-1:] * 60)):
        if time.monotonic() + pause > deadline:
            return
        yield pause
