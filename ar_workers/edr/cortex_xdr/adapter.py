"""The actions of the Cortex adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import (
    BanHash,
    DeleteFile,
    DeleteRegistryKey,
    IsolateEndpoint,
    KillProcess,
    QuarantineFile,
    ReleaseEndpoint,
    UnbanHash,
    UnquarantineFile,
)
from ...domain.capabilities import Means
from ...domain.endpoints import Endpoint, Vendor
from ...domain.errors import Denied, EDRError, NotSent, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.indicators import HashType
from ...domain.keys import hive_problem, registry_problem
from ...domain.limits import Limits, Rate
from ...domain.meant import unconfirmable
from ...domain.paths import content_problem, is_whole, path_problem, process_problem
from ...domain.volumes import names_no_drive, split
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs
from . import fleet
from .api import V1, Config, CortexAPI, objects, only
from .checkup import probes
from .orders import progress, receipt_of
from .scripts import ON_VOLUME, Order, Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..probes import Probe

BLOCK = f"{V1}/hash_exceptions/blocklist"

#: `is_isolated` where an isolation is wanted, and where a release is: so, on its way, the opposite on its way.
_ISOLATED = ("AGENT_ISOLATED", "AGENT_PENDING_ISOLATION", "AGENT_PENDING_ISOLATION_CANCELLATION")
_RELEASED = ("AGENT_UNISOLATED", "AGENT_PENDING_ISOLATION_CANCELLATION", "AGENT_PENDING_ISOLATION")
#: The words of Cortex's own cloud, whose 500 has no code for it; they are in English whatever the endpoint speaks.
_LISTED = re.compile(r"already been added to the allow or block list", re.IGNORECASE)
#: Those with which it says that none of the hashes is on the list, as far as can be guessed: they are not documented. Any others are a
#: fault, which is looked into by a person in the end.
_UNLISTED = re.compile(r"\b(?:none|not?)\b.*\b(?:block ?list|exist|found)\b|\b(?:already|have) been removed\b", re.IGNORECASE)
_UNSEEN = "Cortex does not show who listed a hash, and no answer of it says that we did"


class CortexXDR(EDRAdapter):
    """One Cortex XDR tenant."""

    vendor = Vendor.CORTEX_XDR
    hash_types = (HashType.SHA256,)
    limits = Limits(
        rates=(Rate(calls=10, per=timedelta(seconds=1)),),
        on_429="none that is documented; Retry-After is honoured where it comes",
        source="Palo Alto publishes no general limit; other integrations keep to about 10 requests a second per tenant",
    )
    grant = "in Cortex, Settings > Configurations > API Keys, give the key a role that may"

    stands_because = "a pending action can be cancelled in the console's Action Center only"

    def __init__(self, config: Config) -> None:
        self._api = CortexAPI(config)
        self._scripts = Scripts(self._api, look=config.look_script, act=config.act_script, patience=config.patience)
        self._blocklist_route = config.blocklist_route

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as Cortex shows it now. Raises EndpointNotFound."""
        return fleet.endpoint(fleet.row(self._api, agent_id))

    def members(self, group: str) -> Iterator[Endpoint]:
        """Page through the endpoints of the group of exactly this name."""
        return fleet.members(self._api, group)

    def sign_in(self) -> None:
        """A look at one endpoint."""
        fleet.look(self._api)

    def probes(self) -> Iterator[Probe]:
        """See `checkup`."""
        return probes(self._api, self._scripts, self._blocklist_route)

    @performs(IsolateEndpoint, on=EVERYWHERE, remark="agent 7.3 or newer on macOS, 7.7 or newer on Linux")
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """An action id is a place in the queue, not an isolation."""
        return self._switch("isolate", action.endpoint.agent_id, _ISOLATED[:2])

    @performs(ReleaseEndpoint, on=EVERYWHERE, remark="agent 7.3 or newer on macOS, 7.7 or newer on Linux")
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Lift the isolation."""
        return self._switch("unisolate", action.endpoint.agent_id, _RELEASED[:2])

    def _switch(self, name: str, agent_id: str, standing: tuple[str, ...]) -> Receipt:
        """By `endpoint_id`; together with a filter it would be an error.

        What Cortex answers where the state is there or on its way is not documented: after a 500 the endpoint tells.
        """
        try:
            return receipt_of(self._api.send(f"{V1}/endpoints/{name}", {"endpoint_id": agent_id}), name)
        except VendorFault as error:
            if error.code == "500" and self._state(agent_id) in standing:
                return Receipt(detail={"conflict": _words(error)})
            raise

    def _state(self, agent_id: str) -> str:
        """The endpoint's isolation state, or an empty text where it cannot be read now."""
        try:
            return str(fleet.row(self._api, agent_id).get("is_isolated") or "")
        except EDRError:
            return ""

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, receipt: Receipt | None) -> Fact:
        """By the endpoint's `is_isolated`, and by the order while that is open."""
        return self._isolation(action.endpoint.agent_id, receipt, *_ISOLATED)

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, receipt: Receipt | None) -> Fact:
        """By the endpoint's `is_isolated`, and by the order while that is open."""
        return self._isolation(action.endpoint.agent_id, receipt, *_RELEASED)

    def _isolation(self, agent_id: str, receipt: Receipt | None, so: str, pending: str, opposite: str) -> Fact:
        state = str(fleet.row(self._api, agent_id).get("is_isolated") or "no isolation state")
        shown = f"Cortex shows {state}"
        if state == so:
            return Fact(sight=Sight.PRESENT, evidence=shown)
        order = progress(self._api, agent_id, receipt)
        if order:
            return order.model_copy(update={"evidence": f"{order.evidence}; {shown}"})
        if state == opposite and receipt is None:
            raise NotSent(f"{shown}: Cortex takes no order before the opposite one has ended")
        return Fact(sight=Sight.PENDING if state == pending else Sight.ABSENT, evidence=shown)

    @performs(BanHash, on=EVERYWHERE, remark="sha256 only; blocks where the endpoint's malware profile does")
    def ban_hash(self, action: BanHash, _: Fact) -> Receipt:
        """An entry of the tenant's block list. One that is listed already is adopted, though perhaps on the allow list."""
        sha256 = _sha256(action)
        body = {"hash_list": [sha256], "comment": "Active Remediation", "detailed_response": True}
        try:
            reply = self._api.send(BLOCK, body)
        except VendorFault as error:
            if error.code == "500" and _LISTED.search(_words(error)):
                return Receipt(detail={"answer": "listed"})
            raise
        if reply is True or sha256 in _hashes(reply, "added_hashes"):
            return Receipt(detail={"answer": "added"})
        if sha256 in _hashes(reply, "excluded_hashes"):
            return Receipt(detail={"answer": "listed"})
        raise VendorFault("blocklist: the answer does not say what became of this hash")

    @observes(BanHash)
    def hash_banned(self, action: BanHash, receipt: Receipt | None) -> Fact:
        """By the block list where the tenant can show it; else by what Cortex answered, which the evidence says."""
        sha256 = _sha256(action)
        if self._blocklist_route:
            return self._read_back(sha256, self._blocklist_route)
        answer = receipt.detail.get("answer") if receipt else None
        if answer == "added":
            return Fact(
                sight=Sight.PRESENT, evidence="Cortex answered that it added this hash to its block list; the list is not read back"
            )
        if answer == "listed":
            words = "Cortex answered that this hash is on its allow or block list, and not on which: see that it is not allowed"
            return Fact(sight=Sight.UNKNOWABLE, evidence=words)
        return Fact(sight=Sight.UNKNOWABLE, evidence="Cortex documents no way to read its block list")

    @performs(UnbanHash, on=EVERYWHERE, remark="only what it answered to have added for us: it shows no list, and nobody's name")
    def unban_hash(self, action: UnbanHash, _: Fact) -> Receipt:
        """Take the hash off the tenant's block list."""
        body = {"hash_list": [_sha256(action)], "comment": "Active Remediation"}
        try:
            self._api.send(f"{BLOCK}/remove", body)
        except VendorFault as error:
            if error.code == "500" and _UNLISTED.search(_words(error)):
                return Receipt(detail={"answer": "not on the list"})
            raise
        return Receipt(detail={"answer": "removed"})

    @observes(UnbanHash)
    def hash_unbanned(self, action: UnbanHash, receipt: Receipt | None) -> Fact:
        """By the block list where the tenant can show it; else by what Cortex answered, which the evidence says."""
        sha256 = _sha256(action)
        if self._blocklist_route:
            listed = self._read_back(sha256, self._blocklist_route)
            if listed.sight is Sight.ABSENT:
                return listed.model_copy(update={"sight": Sight.PRESENT})
            if receipt:
                return listed.model_copy(update={"sight": Sight.ABSENT})
        if receipt:
            answer = receipt.detail.get("answer")
            return Fact(sight=Sight.PRESENT, evidence=f"Cortex answered of this hash: {answer}; the list is not read back")
        if action.made is None or action.made.detail.get("answer") != "added":
            return Fact(sight=Sight.MISMATCH, evidence=f"{_UNSEEN}: it stays, and is taken off in the console")
        return Fact(
            sight=Sight.ABSENT if self._blocklist_route else Sight.UNKNOWABLE, evidence="Cortex answered then that it added this hash"
        )

    def _read_back(self, sha256: str, route: str) -> Fact:
        reply = self._api.read(route, {})
        listed = reply if isinstance(reply, list) else reply.get("hash_list") if isinstance(reply, dict) else None
        if not isinstance(listed, list):
            raise VendorFault(f"POST {route}: the reply has no list of hashes")
        values = [each.get("hash") if isinstance(each, dict) else each for each in listed]
        is_listed = sha256 in [str(each).lower() for each in values]
        return Fact(
            sight=Sight.PRESENT if is_listed else Sight.ABSENT,
            evidence=f"Cortex's block list {'has' if is_listed else 'has not'} this hash",
        )

    @performs(QuarantineFile, on=EVERYWHERE, remark="by path and sha256")
    def quarantine_file(self, action: QuarantineFile, _: Fact) -> Receipt:
        """The agent itself compares the hash before it takes the file away."""
        path, sha256 = _quarantined_path(action), _content(action)
        data = {"filters": only(action.endpoint.agent_id), "file_path": path, "file_hash": sha256}
        return receipt_of(self._api.send(f"{V1}/endpoints/quarantine", data), "quarantine")

    @observes(QuarantineFile)
    def quarantined(self, action: QuarantineFile, receipt: Receipt | None) -> Fact:
        """By the file's quarantine status, and by the order while that is open."""
        if self._is_quarantined(action):
            return Fact(sight=Sight.PRESENT, evidence="Cortex shows the file in quarantine")
        order = progress(self._api, action.endpoint.agent_id, receipt)
        return order or Fact(sight=Sight.ABSENT, evidence="Cortex shows the file not in quarantine")

    def _is_quarantined(self, action: QuarantineFile | UnquarantineFile) -> bool:
        agent_id, path, sha256 = action.endpoint.agent_id, _quarantined_path(action), _content(action)
        file = {"endpoint_id": agent_id, "file_path": path, "file_hash": sha256}
        rows = objects(self._api.read(f"{V1}/quarantine/status", {"files": [file]}))
        ours = [each for each in rows if each.get("endpoint_id") == agent_id and each.get("file_path") == path]
        return any(each.get("status") is True and str(each.get("file_hash")).lower() == sha256 for each in ours)

    @performs(UnquarantineFile, on=EVERYWHERE, remark="by sha256: every file of this content that is in quarantine on the endpoint")
    def unquarantine_file(self, action: UnquarantineFile, _: Fact) -> Receipt:
        """Give the file back. The call takes no path."""
        data = {"file_hash": _content(action), "endpoint_id": action.endpoint.agent_id}
        return receipt_of(self._api.send(f"{V1}/endpoints/restore", data), "restore")

    @observes(UnquarantineFile)
    def unquarantined(self, action: UnquarantineFile, receipt: Receipt | None) -> Fact:
        """By the file's quarantine status, and by the order while that is open."""
        if not self._is_quarantined(action):
            return Fact(sight=Sight.PRESENT, evidence="Cortex shows the file not in quarantine")
        order = progress(self._api, action.endpoint.agent_id, receipt)
        return order or Fact(sight=Sight.ABSENT, evidence="Cortex shows the file in quarantine")

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL)
    def kill(self, action: KillProcess, _: Fact) -> Receipt:
        """Our script, which confirms the process once more before it ends it."""
        return self._scripts.act(action.endpoint.agent_id, _process(action))

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL)
    def delete_file(self, action: DeleteFile, _: Fact) -> Receipt:
        """Our script, which confirms the file once more before it deletes it."""
        return self._scripts.act(action.endpoint.agent_id, _deletion(action))

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL)
    def delete_registry_key(self, action: DeleteRegistryKey, _: Fact) -> Receipt:
        """Our script: a key without keys below it, or one value."""
        return self._scripts.act(action.endpoint.agent_id, _registry(action))

    @observes(KillProcess)
    def killed(self, action: KillProcess, receipt: Receipt | None) -> Fact:
        """By a script that looks for the pid and confirms whose it is."""
        return self._scripts.sight(action.endpoint.agent_id, _process(action), receipt)

    @observes(DeleteFile)
    def file_deleted(self, action: DeleteFile, receipt: Receipt | None) -> Fact:
        """By a script that looks for the file and hashes it."""
        return self._scripts.sight(action.endpoint.agent_id, _deletion(action), receipt)

    @observes(DeleteRegistryKey)
    def key_deleted(self, action: DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By a script that looks for the key or value."""
        return self._scripts.sight(action.endpoint.agent_id, _registry(action), receipt)


def _words(error: VendorFault) -> str:
    """What the vendor said, without the path of our own call in front."""
    return str(error).partition(": ")[2]


def _hashes(reply: Any, name: str) -> list[str]:
    found = reply.get(name) if isinstance(reply, dict) else None
    return [str(each).lower() for each in found] if isinstance(found, list) else []


def _sha256(action: BanHash | UnbanHash) -> str:
    if not action.hash.sha256:
        raise Unsupported("Cortex bans sha256, and this IOC carries none")
    return action.hash.sha256


def _content(action: QuarantineFile | UnquarantineFile) -> str:
    if not action.file.sha256:
        raise Unsupported("Cortex quarantines a file by path and sha256, and this IOC carries no sha256")
    return action.file.sha256


def _quarantined_path(action: QuarantineFile | UnquarantineFile) -> str:
    """A path as JSON carries it, whatever is in its names."""
    path = action.file.path
    _refuse(content_problem(path, action.endpoint.os))
    if not is_whole(path, action.endpoint.os):
        raise Unsupported(names_no_drive(path, "Cortex") or "Cortex quarantines a file by its whole path, and this is none")
    return path


def _process(action: KillProcess) -> Order:
    process = action.process
    _refuse(process_problem(process))
    started = process.started_at.timestamp() if process.started_at else None
    return {"verb": action.verb, "pid": process.pid, "path": process.image_path, "sha256": process.sha256, "started": started}


def _deletion(action: DeleteFile) -> Order:
    _refuse(path_problem(action.file.path, action.endpoint.os))
    problem = unconfirmable(action.file)
    if problem:
        raise Unsupported(problem)
    verb = ON_VOLUME if split(action.file.path) else action.verb
    return {"verb": verb, "path": action.file.path, "sha256": action.file.sha256}


def _registry(action: DeleteRegistryKey) -> Order:
    hive = hive_problem(action.registry)
    if hive:
        raise Unsupported(hive)
    _refuse(registry_problem(action.registry))
    return {"verb": action.verb, "key": action.registry.key, "value": action.registry.value}


def _refuse(problem: str | None) -> None:
    if problem:
        raise Denied(problem)
