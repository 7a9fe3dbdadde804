"""The script library: our two scripts found in it, run on one endpoint, and believed only for what they answer.

A request is one word of base64, whatever it says: no value in it can end a quote or start a second command.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...domain.errors import Denied, EndpointOffline, Unreadable, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.paths import vital_process
from ...domain.text import LONGEST, shortened, whole
from .api import V1, CortexAPI, objects, only
from .fleet import connected
from .orders import COMPLETED, FAILED, NEVER_RAN, number, receipt_of

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a request says: verb, pid, path, sha256, started (epoch seconds), key, value.
Order = dict[str, Any]

#: The input of both scripts. Those of earlier versions have another, and are not run: they kill without judging whom.
INPUT = "judged_request"
#: A word that scripts of earlier versions do not know: they would not find such a path, and call the file absent.
ON_VOLUME = "delete_file_on_volume"
_UID = re.compile(r"^[0-9a-f]{32}$")
#: A script that was found is looked up again after this many seconds.
_UID_LIVES = 300.0
#: A script that runs longer is ended by the agent.
_TIMEOUT = 120
#: A look that was begun and not waited for is of no use after this many seconds.
_LOOK_LIVES = 600.0
_COME_BACK = timedelta(seconds=10)
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_SIGHTS = {"absent": Sight.PRESENT, "present": Sight.ABSENT, "mismatch": Sight.MISMATCH}
_STATES = frozenset({"absent", "present", "mismatch", "locked", "vital", "failed", "done"})


@dataclass(frozen=True)
class Run:
    """What has become of a script: the vendor's status, and the script's own answer, which may be unreadable."""

    status: str
    state: str = ""
    why: str = ""
    image: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in COMPLETED | FAILED

    @property
    def words(self) -> str:
        """For people."""
        return f"the script is {self.status}" + (f": {self.why}" if self.why else "")


class Scripts:
    """Our scripts in one tenant's library. `look` reads, `act` changes; each is one script."""

    def __init__(self, api: CortexAPI, *, look: str, act: str, patience: float) -> None:
        self._api, self._look, self._act, self._patience = api, look, act, patience
        self._uids: dict[str, tuple[float, str]] = {}
        #: Looks that were not waited for: (endpoint, request, the order before it) -> when it was begun, its receipt.
        self._open: dict[tuple[str, str, str], tuple[float, Receipt]] = {}

    def act(self, agent_id: str, order: Order) -> Receipt:
        """Ask for the effect, once."""
        return self._start(self._uid(self._act), agent_id, encoded(order))

    def sight(self, agent_id: str, order: Order, receipt: Receipt | None) -> Fact:
        """What the endpoint itself shows; after an order, that order's end first."""
        before = self.run(agent_id, receipt) if receipt and receipt.reference else None
        if before and not before.has_ended:
            return Fact(sight=Sight.PENDING, evidence=before.words)
        if before and before.status in NEVER_RAN:
            return Fact(sight=Sight.REFUSED, evidence=before.words)
        if before and before.state == "vital":
            return Fact(sight=Sight.MISMATCH, evidence=vital_process(before.why))
        try:
            fact = _fact(self._looked(agent_id, encoded(order), receipt))
        except Unreadable as error:
            if before and before.state == "locked":
                return Fact(sight=Sight.LOCKED, evidence=str(error))
            raise
        return _judged(before, fact) if before else fact

    def _looked(self, agent_id: str, request: str, receipt: Receipt | None) -> Run:
        """A look's end. One that takes longer than our patience is kept, and the next visit goes on with it."""
        key = agent_id, request, receipt.reference if receipt else ""
        begun, order = self._open.pop(key, (0.0, None))
        if order is None or time.monotonic() - begun > _LOOK_LIVES:
            connected(self._api, agent_id)
            begun, order = time.monotonic(), self._start(self._uid(self._look), agent_id, request)
        deadline = time.monotonic() + self._patience
        for pause in (*_PAUSES, *[_PAUSES[-1]] * 20):
            run = self.run(agent_id, order)
            if run.has_ended:
                return run
            if time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
        self._open[key] = begun, order
        raise VendorFault("the agent has not answered the look yet", retry_after=_COME_BACK)

    def _start(self, uid: str, agent_id: str, request: str) -> Receipt:
        data = {"script_uid": uid, "timeout": _TIMEOUT, "parameters_values": {INPUT: request}, "filters": only(agent_id)}
        return receipt_of(self._api.send(f"{V1}/scripts/run_script", data), "run_script")

    def run(self, agent_id: str, receipt: Receipt) -> Run:
        """How far a script is on its one endpoint, and what it answered."""
        reply = self._api.read(f"{V1}/scripts/get_script_execution_results", {"action_id": number(receipt)})
        rows = objects(reply.get("results")) if isinstance(reply, dict) else []
        row = next((each for each in rows if each.get("endpoint_id") == agent_id), {})
        status = shortened(str(row.get("execution_status") or "not known yet"), 60)
        return Run(status, *_answer_in(row))

    def look_up(self) -> str:
        """See that both scripts are in the library and take our request. Raises Denied if one does not."""
        for name in (self._look, self._act):
            self._uid(name)
        return "both of our scripts are in the library; whether just as shipped cannot be read"

    def _uid(self, name: str) -> str:
        """The script's uid, which differs by tenant and version; its inputs must be ours."""
        read_at, uid = self._uids.get(name, (0.0, ""))
        if not uid or time.monotonic() - read_at > _UID_LIVES:
            uid = name if _UID.match(name) else self._found(name)
            self._check(name, uid)
            self._uids[name] = time.monotonic(), uid
        return uid

    def _found(self, name: str) -> str:
        reply = self._api.read(f"{V1}/scripts/get_scripts", {"filters": [{"field": "name", "operator": "in", "value": [name]}]})
        found = objects(reply.get("scripts")) if isinstance(reply, dict) else []
        uids = [str(each.get("script_uid")) for each in found if each.get("name") == name]
        if len(uids) != 1:
            raise Denied(f"the script library has {len(uids) or 'no'} scripts named {name!r}; one is needed, see on_endpoint.py")
        return uids[0]

    def _check(self, name: str, uid: str) -> None:
        reply = self._api.read(f"{V1}/scripts/get_script_metadata", {"script_uid": uid})
        inputs = [each.get("name") for each in objects(reply.get("script_inputs"))] if isinstance(reply, dict) else []
        if inputs != [INPUT]:
            raise Denied(
                f"the script {name!r} in the library is not ours, or of an earlier version: its inputs are {inputs}, not {[INPUT]}; "
                "upload on_endpoint.py anew, then requeue"
            )


def encoded(order: Order) -> str:
    """An order as one word of letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(json.dumps(order, sort_keys=True).encode()).decode().rstrip("=")


def _fact(run: Run) -> Fact:
    if run.status in NEVER_RAN:
        raise EndpointOffline(run.words)
    if run.status in COMPLETED and run.state in _SIGHTS:
        return Fact(sight=_SIGHTS[run.state], evidence=run.why or run.state, image=run.image)
    if run.status in COMPLETED and run.state == "locked":
        raise Unreadable(run.why)
    raise VendorFault(f"the look gave no answer: {run.words}")


def _judged(before: Run, fact: Fact) -> Fact:
    """What is seen after an order has ended. COMPLETED_SUCCESSFULLY alone is a script that ran, no effect."""
    is_gone = before.status in COMPLETED and before.state in {"done", "absent"}
    if fact.sight is Sight.MISMATCH and is_gone:
        return Fact(sight=Sight.PRESENT, evidence=f"what was meant is gone; meanwhile another is in its place: {fact.evidence}")
    if fact.sight is Sight.ABSENT:
        sight = Sight.LOCKED if before.state == "locked" else Sight.REFUSED
        return Fact(sight=sight, evidence=f"still there ({fact.evidence}); {before.words}")
    return fact


def _answer_in(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """State, why and image of the answer, from the return value or the last line printed: which of them carries it is not documented.

    A return value may be False, None or missing; then the script has said nothing that is believed.
    """
    values = row.get("_return_value")
    printed = str(row.get("standard_output") or "").strip().splitlines()[-1:]
    for text in [*(values if isinstance(values, list) else [values]), *printed]:
        try:
            found = json.loads(text) if isinstance(text, str) else text
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("state") in _STATES:
            return str(found["state"]), whole(str(found.get("why") or "")), str(found.get("image") or "")[:1024]
    return "", shortened(f"return value {values!r} {' '.join(printed)}", LONGEST), ""
