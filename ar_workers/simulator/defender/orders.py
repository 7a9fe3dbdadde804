"""Machine actions: taken at once, run when the machine checks in, in the order of that and not of their making."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..clock import VirtualClock
from ..endpoints import Endpoint
from ..journal import Journal
from ..world import Tenant
from .call import Answer, Call, Refusal, Row, stamp
from .files import sha1_of
from .options import Options

OPEN = frozenset({"Pending", "InProgress"})
FILTERABLE = ("id", "status", "machineId", "type", "requestor", "creationDateTimeUtc")
#: What the vendor was seen to write beside orders that nobody picked up, and that somebody cancelled.
NOT_PICKED_UP, CANCELLED = -2145844840, -2147467260
ISOLATIONS = {"Isolate": ("isolate", "contained"), "Unisolate": ("release", "normal")}

Runner = Callable[[Tenant, Endpoint, Row], str]


class Desk:
    """The machine actions of all tenants. `runners` do what a type of action does, and name the status it ends in."""

    def __init__(self, clock: VirtualClock, journal: Journal, options: Options) -> None:
        self.runners: dict[str, Runner] = {"Isolate": self._move, "Unisolate": self._move, "StopAndQuarantineFile": self._quarantine}
        self.options = options
        self._clock, self._journal = clock, journal
        self._orders: dict[str, list[Row]] = {}

    def of(self, tenant: Tenant) -> list[Row]:
        """All of a tenant's, with everything done that was due, and with what people did in the portal."""
        self.run_due(tenant)
        for endpoint in tenant.endpoints.values():
            self._notice(tenant, endpoint)
        return self._orders.setdefault(tenant.name, [])

    def open(self, tenant: Tenant, kind: str, machine_id: str | None = None) -> list[Row]:
        """Those of this type that have not ended, on one machine or on all."""
        return [one for one in self.of(tenant) if one["type"] == kind and one["status"] in OPEN and machine_id in {None, one["machineId"]}]

    def take(self, tenant: Tenant, endpoint: Endpoint, kind: str, *, late: float = 0.0, **facts: Any) -> Row:
        """A new order. `late` is how much later than at the next check-in it runs."""
        now = self._clock.now()
        row = {
            "id": str(uuid.uuid4()),
            "type": kind,
            "title": None,
            "requestor": "",
            "requestorComment": "",
            "requestSource": "PublicApi",
            "status": "Pending",
            "machineId": endpoint.agent_id,
            "computerDnsName": endpoint.hostname.lower(),
            "creationDateTimeUtc": stamp(now),
            "cancellationRequestor": None,
            "cancellationComment": None,
            "cancellationDateTimeUtc": None,
            "errorHResult": 0,
            "scope": None,
            "externalId": None,
            "relatedFileInfo": None,
            "commands": [],
            "troubleshootInfo": None,
            **facts,
            "_made": now,
            "_updated": now,
            "_late": late,
            "_due": now + endpoint.check_in_delay + late if endpoint.online else None,
        }
        self._orders.setdefault(tenant.name, []).append(row)
        return row

    def run_due(self, tenant: Tenant) -> None:
        """Run what is due, soonest first; what nobody picked up in days times out."""
        now = self._clock.now()
        waiting = [one for one in self._orders.get(tenant.name, []) if one["status"] in OPEN]
        for row in sorted(waiting, key=lambda one: one["_due"] or 0.0):
            endpoint = tenant.endpoints[row["machineId"]]
            if not endpoint.online:
                row["_due"] = None
            if row["_due"] is not None and row["_due"] <= now:
                self._end(row, self.runners[row["type"]](tenant, endpoint, row), row["_due"])
            elif row["_due"] is not None and row["_due"] - endpoint.check_in_delay / 2 <= now:
                row["status"] = "InProgress"
            elif now - row["_made"] > self.options.order_life:
                row["errorHResult"] = NOT_PICKED_UP
                self._end(row, "TimeOut", now)

    @staticmethod
    def _end(row: Row, status: str, at: float) -> None:
        row["status"], row["_updated"] = status, at

    def returned(self, tenant: Tenant, endpoint: Endpoint) -> None:
        """A machine is back: what waits for it runs at its next check-in."""
        self.run_due(tenant)
        for row in self._orders.get(tenant.name, []):
            if row["machineId"] == endpoint.agent_id and row["status"] in OPEN:
                row["_due"] = self._clock.now() + endpoint.check_in_delay + row["_late"]

    def cancel(self, row: Row, *, by: str, comment: str) -> None:
        now = self._clock.now()
        row.update(cancellationRequestor=by, cancellationComment=comment, cancellationDateTimeUtc=stamp(now), errorHResult=CANCELLED)
        self._end(row, "Cancelled", now)

    def shown(self, row: Row) -> Row:
        """As the API writes it."""
        return {name: value for name, value in row.items() if not name.startswith("_")} | {
            self.options.updated_name: stamp(row["_updated"])
        }

    def effect(self, tenant: Tenant, verb: str, target: str, *, changed: bool, **facts: Any) -> None:
        self._journal.effect(verb, target, changed=changed, vendor=self.options.vendor, tenant=tenant.name, **facts)

    def _move(self, tenant: Tenant, endpoint: Endpoint, row: Row) -> str:
        verb, status = ISOLATIONS[row["type"]]
        changed = endpoint.status != status
        endpoint.status, endpoint.settles_at = status, None
        self.effect(tenant, verb, endpoint.agent_id, changed=changed, order=row["id"])
        return "Succeeded"

    def _quarantine(self, tenant: Tenant, endpoint: Endpoint, row: Row) -> str:
        sha1 = row["relatedFileInfo"]["fileIdentifier"]
        hit = [one for one in endpoint.files if sha1_of(one.sha256) == sha1]
        endpoint.files = [one for one in endpoint.files if one not in hit]
        endpoint.processes = [one for one in endpoint.processes if sha1_of(one.sha256) != sha1]
        for one in hit:
            tenant.quarantined[row["id"]] = {"id": row["id"], "machineId": endpoint.agent_id, "path": one.path, "sha1": sha1}
        self.effect(tenant, "quarantine_file", sha1, changed=bool(hit), agent_id=endpoint.agent_id)
        return "Succeeded"

    def _notice(self, tenant: Tenant, endpoint: Endpoint) -> None:
        """An isolation that nobody ordered here was ordered by a person in the portal; it is on record like any other."""
        done = [one for one in self._orders.get(tenant.name, []) if one["machineId"] == endpoint.agent_id and one["status"] == "Succeeded"]
        moves = sorted((one for one in done if one["type"] in ISOLATIONS), key=lambda one: float(one["_updated"]))
        shown = ISOLATIONS[moves[-1]["type"]][1] if moves else "normal"
        if endpoint.status in {"normal", "contained"} and endpoint.status != shown:
            kind = "Isolate" if endpoint.status == "contained" else "Unisolate"
            row = self.take(tenant, endpoint, kind, requestor="analyst@acme.example", requestSource="Portal")
            self._end(row, "Succeeded", self._clock.now())


@dataclass(frozen=True, kw_only=True)
class OrderCall(Call):
    desk: Desk


def isolate(call: OrderCall) -> Answer:
    body = call.document("Comment", "IsolationType")
    if body["IsolationType"] not in {"Full", "Selective", "UnManagedDevice"}:
        raise Refusal(400, "InvalidInput", "IsolationType must be Full, Selective or UnManagedDevice")
    endpoint = call.endpoint()
    if body["IsolationType"] == "Selective" and endpoint.platform == "Linux":
        raise Refusal(400, "OsPlatformNotSupported", "Selective isolation is not supported on this platform")
    return _moved(call, endpoint, "Isolate", body["Comment"])


def release(call: OrderCall) -> Answer:
    body = call.document("Comment")
    return _moved(call, call.endpoint(), "Unisolate", body["Comment"])


def _moved(call: OrderCall, endpoint: Endpoint, kind: str, comment: str) -> Answer:
    """What a second one does while the first is open is a switch: the vendor was seen to do all three."""
    opened = call.desk.open(call.tenant, kind, endpoint.agent_id)
    if opened and call.options.duplicate == "refused":
        raise open_already(opened[0])
    if opened and call.options.duplicate == "same":
        return Answer(call.desk.shown(opened[0]), 201)
    late = call.options.late_by if opened else 0.0
    row = call.desk.take(call.tenant, endpoint, kind, late=late, requestor=call.user, requestorComment=comment)
    return Answer(call.desk.shown(row), 201)


def open_already(row: Row) -> Refusal:
    return Refusal(400, "ActiveRequestAlreadyExists", f"Action is already in progress: {row['id']}")


def quarantine(call: OrderCall) -> Answer:
    body, endpoint = call.document("Comment", "Sha1"), call.endpoint()
    sha1 = str(body["Sha1"]).lower()
    if len(sha1) != 40 or set(sha1) - set("0123456789abcdef"):
        raise Refusal(400, "InvalidHashValue", "Sha1 is not valid")
    if endpoint.platform != "Windows":
        raise Refusal(400, "OsPlatformNotSupported", "The machine's platform does not support this action")
    opened = [
        one
        for one in call.desk.open(call.tenant, "StopAndQuarantineFile", endpoint.agent_id)
        if one["relatedFileInfo"]["fileIdentifier"] == sha1
    ]
    if opened:
        raise open_already(opened[0])
    about = {"fileIdentifier": sha1, "fileIdentifierType": "Sha1"}
    facts = {"requestor": call.user, "requestorComment": body["Comment"], "relatedFileInfo": about}
    return Answer(call.desk.shown(call.desk.take(call.tenant, endpoint, "StopAndQuarantineFile", **facts)), 201)


def listing(call: OrderCall) -> Answer:
    """The newest first."""
    return call.listed([call.desk.shown(one) for one in reversed(call.desk.of(call.tenant))], FILTERABLE)


def found(call: OrderCall) -> Row:
    row = next((one for one in call.desk.of(call.tenant) if one["id"] == call.parts[0]), None)
    if row is None:
        raise Refusal(404, "ResourceNotFound", f"Machine action {call.parts[0]} was not found")
    return row


def details(call: OrderCall) -> Answer:
    return Answer(call.desk.shown(found(call)))


def cancel(call: OrderCall) -> Answer:
    """Only what has not begun can be cancelled."""
    body, row = call.document("Comment"), found(call)
    if row["status"] != "Pending":
        raise Refusal(400, "BadRequest", f"The action is {row['status']} and cannot be cancelled")
    call.desk.cancel(row, by=call.user, comment=body["Comment"])
    return Answer(call.desk.shown(row))
