"""RemoteOps: fixed scripts of the customer's library, told what to do by one encoded word, heard by what they print.

A script confirms that the process, file or key is the one that is meant, acts, and prints one line of JSON:
`{"ar_workers": ORDER, "outcome": "done" | "absent" | "mismatch" | "locked" | "vital" | "failed", "detail": TEXT}`; of
`vital` the detail is the name of the process that is never killed, and `locked` is a file that cannot be read or deleted now.
Such a line with the order's own number is the only proof: a task's `completed` is not (it may have ended in an error).
The library cannot be asked for a task without its id, so a lost answer leaves an order that nobody can find again:
it is not repeated (see `pipeline.execute`), except that one which still waits for approval is found and adopted.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any

from ...domain.actions import DeleteFile, DeleteRegistryKey, KillProcess, identity
from ...domain.endpoints import OS
from ...domain.errors import AuthRefused, Denied, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.keys import registry_problem
from ...domain.paths import path_problem, process_problem, vital_process
from ...domain.text import whole
from ...domain.volumes import split
from .results import printed

if TYPE_CHECKING:
    from .api import Config, ConsoleAPI, Row

EXECUTE = "remote-scripts/execute"
STATUS = "remote-scripts/status"
RESULTS = "remote-scripts/fetch-files"
APPROVALS = "remote-scripts/pending-executions"
#: How long a script may run on the endpoint, in seconds.
RUNTIME = 300

#: A word that scripts of earlier versions do not know: they would kill without judging whom.
KILL = "kill_unless_vital"
#: Another: they would not find a file on a volume without a letter, and call it absent; nor would they compare a SHA-1.
DELETE = "delete_confirmed_file"
#: What a script answers to a word that it does not know.
_UNKNOWN_ORDER = "an order that this script does not know"

Scripted = KillProcess | DeleteFile | DeleteRegistryKey
_ENDED = frozenset({"failed", "canceled", "expired", "partially_completed"})
_SIGHTS = {"done": Sight.PRESENT, "absent": Sight.PRESENT, "mismatch": Sight.MISMATCH, "locked": Sight.LOCKED, "failed": Sight.REFUSED}
#: In the console's own words about a task, which are in English whatever the endpoint speaks. It has no code for them.
_ERROR = re.compile(r"error|fail|exit code: ?[1-9]|timed? ?out|denied", re.IGNORECASE)


class RemoteOps:
    """Runs the configured script on one endpoint, and reads what it printed."""

    def __init__(self, api: ConsoleAPI, config: Config) -> None:
        self._api, self._config = api, config

    def check(self, action: Scripted, os: OS) -> str:
        """The id of the script for this OS. Raises Denied for what is never acted on, Unsupported without a script."""
        order_word(action, os, "")
        script = self._config.scripts.get(os)
        if not script:
            raise Unsupported(f"no RemoteOps script for {os} is configured for this customer")
        return script

    def run(self, action: Scripted, os: OS) -> Receipt:
        """Start the script once; a run of the same order that still waits for approval is adopted instead."""
        script = self.check(action, os)
        prefix = f"ar_workers {identity(action)} "
        waiting = self._waiting(prefix)
        if waiting:
            return waiting
        order = uuid.uuid4().hex
        data = {
            "scriptId": script,
            "outputDestination": "SentinelCloud",
            "taskDescription": prefix + order,
            "inputParams": order_word(action, os, order),
            "scriptRuntimeTimeoutSeconds": RUNTIME,
        }
        answer = self._api.act(EXECUTE, action.endpoint.agent_id, data)
        detail = {"order": order}
        if answer.get("pending"):
            return Receipt(detail=detail | {"approval": str(answer.get("pendingExecutionId") or "")})
        if not answer["affected"]:
            raise Denied("RemoteOps: nothing was affected; the endpoint or its licence takes no scripts")
        if not answer.get("parentTaskId"):
            raise VendorFault("RemoteOps: the order was taken without a task to ask for")
        return Receipt(reference=str(answer["parentTaskId"]), detail=detail)

    def _waiting(self, prefix: str) -> Receipt | None:
        for row in self._approvals():
            description = str((row.get("executionData") or {}).get("taskDescription") or "")
            if row.get("state") == "waiting" and description.startswith(prefix):
                approval = str(row.get("pendingExecutionId") or "")
                return Receipt(detail={"order": description.removeprefix(prefix), "approval": approval, "adopted": "yes"})
        return None

    def _approvals(self) -> list[Row]:
        try:
            return list(self._api.rows(APPROVALS, sortBy="createdAt", sortOrder="desc", **self._config.scope_query))
        except Denied:
            return []  # a console without guardrails

    def outcome(self, agent_id: str, receipt: Receipt) -> Fact:
        """What became of the run of this receipt."""
        parent = receipt.reference or self._approved(receipt.detail.get("approval", ""))
        if isinstance(parent, Fact):
            return parent
        rows = [row for row in self._api.rows(STATUS, parentTaskId=parent) if row.get("agentId") == agent_id]
        if not rows:
            return Fact(sight=Sight.PENDING, evidence="the console does not list the script's task yet")
        status = str(rows[0].get("status"))
        detail = whole(str(rows[0].get("detailedStatus") or rows[0].get("statusDescription") or ""))
        if status in _ENDED:
            return Fact(sight=Sight.REFUSED, evidence=f"the script's task is {status}: {detail}")
        if status != "completed":
            away = "" if rows[0].get("agentIsActive", True) else ", and the endpoint is offline"
            return Fact(sight=Sight.PENDING, evidence=f"the script's task is {status}{away}")
        return self._result(str(rows[0].get("id")), receipt.detail.get("order", ""), detail)

    def _approved(self, approval: str) -> str | Fact:
        """The task of an approved run, or the fact that there is none (yet)."""
        row = next((each for each in self._approvals() if approval and each.get("pendingExecutionId") == approval), {})
        state = str(row.get("state") or "not listed")
        if state in {"declined", "expired"}:
            return Fact(sight=Sight.REFUSED, evidence=f"the script's approval is {state} in the console")
        if state == "approved" and row.get("scheduledTaskId"):
            return str(row["scheduledTaskId"])
        return Fact(sight=Sight.PENDING, evidence=f"the script's approval is {state} in the console")

    def _result(self, task_id: str, order: str, detail: str) -> Fact:
        data = self._api.post(RESULTS, {"data": {"taskIds": [task_id]}})
        links = [each for each in (data or {}).get("download_links") or [] if str(each.get("taskId")) == task_id]
        if not links and _ERROR.search(detail):
            return Fact(sight=Sight.REFUSED, evidence=f"completed without output: {detail}")
        try:
            line = printed(str(links[0].get("downloadUrl")), order, self._config) if links else None
        except (Denied, AuthRefused) as error:  # a signed link lives for minutes; the next look is given another
            return Fact(sight=Sight.PENDING, evidence=f"completed; its output could not be fetched: {error}")
        if not links:
            return Fact(sight=Sight.PENDING, evidence=f"completed; its output is not there yet: {detail}")
        if line is None:
            return Fact(sight=Sight.REFUSED, evidence=f"completed, and its output is not that of our script: {detail}")
        outcome, said = str(line.get("outcome")), whole(str(line.get("detail") or ""))
        if outcome == "vital":
            return Fact(sight=Sight.MISMATCH, evidence=vital_process(said))
        if said == _UNKNOWN_ORDER:
            said += ": upload the scripts of this version, and set `scripts`"
        return Fact(sight=_SIGHTS.get(outcome, Sight.REFUSED), evidence=f"the script says {outcome}: {said}")


def order_word(action: Scripted, os: OS, order: str) -> str:
    """What the script is to do, as one word of [A-Za-z0-9_-] that no shell can take for anything else.

    JSON in base64url, all values text. Raises Denied for what is never acted on.
    """
    request: dict[str, Any] = {"order": order, "verb": action.verb}
    match action:
        case KillProcess(process=process):
            problem = process_problem(process) or _unreadable(process.image_path or "", os)
            request["verb"] = KILL
            started = process.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if process.started_at else ""
            request |= {"pid": str(process.pid), "path": process.image_path or "", "sha256": process.sha256 or "", "started": started}
        case DeleteFile(file=file):
            problem = path_problem(file.path, os) or _unreadable(file.path, os)
            request |= {"path": file.path, "sha256": file.sha256 or ""}
            if split(file.path) or file.is_known_by_sha1_alone:
                request |= {"verb": DELETE, "sha1": file.sha1 or ""}
        case DeleteRegistryKey(registry=registry):
            problem = registry_problem(registry)
            request |= {"key": registry.key, "value": registry.value or ""}
    if problem:
        raise Denied(problem)
    text = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unreadable(path: str, os: OS) -> str | None:
    """The POSIX script reads JSON without a parser, so nothing in it may be escaped."""
    return None if os is OS.WINDOWS or not set(path) & {'"', "\\"} else "path has a character that the script cannot read"
