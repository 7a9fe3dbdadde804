"""The actions of the Defender adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import (
    BanDomain,
    BanHash,
    DeleteFile,
    DeleteRegistryKey,
    IsolateEndpoint,
    KillProcess,
    QuarantineFile,
    ReleaseEndpoint,
    identity,
)
from ...domain.capabilities import Means
from ...domain.endpoints import OS, Endpoint, Vendor
from ...domain.errors import Denied, EndpointNotFound, Throttled, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.indicators import HashType
from ...domain.limits import Limits, Rate
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs
from .api import OPEN_ALREADY, Config, DefenderAPI
from .checkup import probes
from .indicators import indicator_fact, indicator_wish
from .live import SCRIPTS, Script, argument, file_wish, outcome, process_wish, registry_wish
from .orders import ISOLATE, LIVE_RESPONSE, QUARANTINE, RELEASE, Isolation, Order, newest, order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...domain.actions import Action
    from ..probes import Probe

MACHINES = "/api/machines"
FIND_BY_TAG = "/api/machines/findbytag"
MACHINE_ACTIONS = "/api/machineactions"
INDICATORS = "/api/indicators"
LIBRARY = "/api/libraryfiles"

#: Best first, and all that an IOC can carry.
_HASHES = {HashType.SHA256: "FileSha256", HashType.SHA1: "FileSha1", HashType.MD5: "FileMd5"}
#: osPlatform names a Windows release or a distribution, so that what is none of these is some Linux.
_NOT_LINUX = frozenset({"", "None", "Unknown", "Other", "iOS", "iPadOS", "Android"})
#: So long the result of an earlier order of ours tells of the endpoint as it is: a worker died before writing it down.
#: Later the same wish may be a new one, about a file that came back.
_FRESH = timedelta(hours=1)
#: After this long an order that is in the way may be gone.
_IN_THE_WAY = timedelta(seconds=20)


class Defender(EDRAdapter):
    """One Defender for Endpoint tenant."""

    vendor = Vendor.DEFENDER
    hash_types = tuple(_HASHES)
    limits = Limits(
        rates=(Rate(calls=100, per=timedelta(minutes=1)), Rate(calls=1500, per=timedelta(hours=1))),
        sessions=25,
        wish="Retry-After: seconds",
        source="Defender for Endpoint API pages: per API; running live response 10 a minute, one at a time per machine",
    )
    grant = "in Entra, App registrations > API permissions > WindowsDefenderATP, add the role and grant admin consent"

    def __init__(self, config: Config) -> None:
        self._api = DefenderAPI(config)
        self._group_by = config.group_by

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as Defender shows it now. Raises EndpointNotFound, also for a record that was merged into another."""
        machine = self._api.get(f"{MACHINES}/{agent_id}")
        if machine.get("id") != agent_id:
            raise EndpointNotFound(f"Defender knows no machine {agent_id}")
        if machine.get("mergedIntoMachineId"):
            raise EndpointNotFound(f"Defender has merged machine {agent_id} into another record")
        return self._endpoint(machine)

    def members(self, group: str) -> Iterator[Endpoint]:
        """Every machine of the group. A tag is there as long as a machine carries it; an empty one is none, and Denied."""
        rows = (
            self._api.pages(FIND_BY_TAG, tag=group, useStartsWithFilter="false")
            if self._group_by == "tag"
            else self._api.pages(MACHINES)  # rbacGroupName cannot be filtered by
        )
        found = False
        for row in rows:
            endpoint = self._endpoint(row)
            if group in (endpoint.groups or ()) and not row.get("mergedIntoMachineId"):
                found = True
                yield endpoint
        if not found:
            raise Denied(f"Defender has no machine with the {self._group_by} {group!r}")

    def sign_in(self) -> object:
        """A token."""
        return self._api.roles()

    def probes(self) -> Iterator[Probe]:
        """See `checkup`."""
        return probes(self._api, self._scripts_are_there)

    def _endpoint(self, machine: dict[str, Any]) -> Endpoint:
        tags = machine.get("machineTags") if self._group_by == "tag" else [machine.get("rbacGroupName")]
        return Endpoint(
            edr=Vendor.DEFENDER,
            agent_id=str(machine.get("id")),
            hostname=str(machine.get("computerDnsName") or machine.get("id")),
            os=_os(str(machine.get("osPlatform") or "")),
            groups=frozenset(str(each) for each in tags or [] if each),
        )

    @performs(IsolateEndpoint, on=EVERYWHERE)
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """201 is a place in the queue, not an isolation."""
        return self._move(action, ISOLATE, "isolate", {"IsolationType": "Full"})

    @performs(ReleaseEndpoint, on=EVERYWHERE)
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Lift the isolation, or cancel one that has not begun."""
        return self._move(action, RELEASE, "unisolate", {})

    def _move(self, action: IsolateEndpoint | ReleaseEndpoint, kind: str, route: str, body: dict[str, str]) -> Receipt:
        """Read, then at most one write. An open order of the same kind is taken over, for a second one could run days later.

        One of the opposite kind is cancelled first, or waited out, because the two may run in either order.
        """
        isolation = Isolation.of(self._orders(action.endpoint.agent_id))
        against = isolation.opened(RELEASE if kind == ISOLATE else ISOLATE)
        if against:
            return self._cancel(action, against, is_enough=isolation.is_so(kind) or (isolation.last is None and kind == RELEASE))
        same = isolation.opened(kind)
        return Receipt(reference=same[0].id) if same else self._order(action, route, body, lambda each: each.kind == kind)

    def _cancel(self, action: Action, against: tuple[Order, ...], *, is_enough: bool) -> Receipt:
        """Cancel the first order that is in the way. Raises Throttled while more than that is to be done."""
        first = against[0]
        try:
            self._api.post(f"{MACHINE_ACTIONS}/{first.id}/cancel", {"Comment": _comment(action)})
        except Denied as error:
            raise Throttled(f"{first.story}, and cannot be cancelled any more: {error}"[:300], retry_after=_IN_THE_WAY) from None
        if is_enough and len(against) == 1:
            return Receipt(reference=first.id)
        raise Throttled(f"cancelled what was in the way: {first.story}", retry_after=timedelta(seconds=1))

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, receipt: Receipt | None) -> Fact:
        """By the isolations and releases on record."""
        return self._isolation(action.endpoint.agent_id, ISOLATE, receipt)

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, receipt: Receipt | None) -> Fact:
        """By the isolations and releases on record; not so while an isolation is still open that could run later."""
        return self._isolation(action.endpoint.agent_id, RELEASE, receipt)

    def _isolation(self, agent_id: str, kind: str, receipt: Receipt | None) -> Fact:
        orders = self._orders(agent_id)
        ours = next((each for each in orders if receipt and each.id == receipt.reference), None)
        if receipt and receipt.reference and ours is None:
            ours = self._order_of(receipt)
        return Isolation.of(orders).fact(kind, ours)

    def _orders(self, agent_id: str) -> list[Order]:
        return [order(row) for row in self._api.pages(MACHINE_ACTIONS, **{"$filter": f"machineId eq '{agent_id}'"})]

    def _order_of(self, receipt: Receipt) -> Order:
        return order(self._api.get(f"{MACHINE_ACTIONS}/{receipt.reference}"))

    def _order(self, action: Action, route: str, body: dict[str, Any], is_same: Callable[[Order], bool]) -> Receipt:
        """Ask once. That the same is open already is no failure: it is taken over. Raises Throttled if it is another's."""
        agent_id = action.endpoints[0].agent_id
        try:
            made = self._api.post(f"{MACHINES}/{agent_id}/{route}", {"Comment": _comment(action), **body})
        except Denied as error:
            if error.code != OPEN_ALREADY:
                raise
            return self._taken_over(agent_id, is_same, error)
        if not made.get("id") or made.get("machineId") not in {None, agent_id}:
            raise VendorFault(f"{route}: accepted without an action on this machine")
        return Receipt(reference=str(made["id"]))

    def _taken_over(self, agent_id: str, is_same: Callable[[Order], bool], error: Denied) -> Receipt:
        found = next((each for each in self._orders(agent_id) if each.is_open and is_same(each)), None)
        if not found:
            raise Throttled(f"another action is open on this machine: {error}"[:300], retry_after=_IN_THE_WAY, code=error.code)
        return Receipt(reference=found.id)

    @performs(BanHash, on=EVERYWHERE, remark="stored at once; endpoints follow within hours, if the feature `allow or block file` is on")
    def ban_hash(self, action: BanHash, _: Fact) -> Receipt:
        """An indicator that blocks and remediates. The same value is changed and not doubled."""
        return self._ban(*_hash(action), "BlockAndRemediate")

    @observes(BanHash)
    def hash_banned(self, action: BanHash, _: Receipt | None) -> Fact:
        """By the stored indicator, which is no proof that any endpoint has it yet."""
        return self._indicator(*_hash(action))

    @performs(BanDomain, on=EVERYWHERE, remark="needs network protection in block mode, and up to 48 hours")
    def ban_domain(self, action: BanDomain, _: Fact) -> Receipt:
        """An indicator that blocks."""
        return self._ban("DomainName", action.domain.domain, "Block")

    @observes(BanDomain)
    def domain_banned(self, action: BanDomain, _: Receipt | None) -> Fact:
        """By the stored indicator, which is no proof that any endpoint has it yet."""
        return self._indicator("DomainName", action.domain.domain)

    def _ban(self, kind: str, value: str, effect: str) -> Receipt:
        stored = self._api.post(INDICATORS, indicator_wish(kind, value, effect))
        return Receipt(reference=str(stored.get("id") or "")[:64])

    def _indicator(self, kind: str, value: str) -> Fact:
        rows = list(self._api.pages(INDICATORS, **{"$filter": f"indicatorValue eq '{value}'"}))
        return indicator_fact(rows, kind, value, datetime.now(UTC))

    @performs(QuarantineFile, on=WINDOWS, remark="by SHA-1, wherever on the endpoint the file is; its processes are stopped")
    def quarantine(self, action: QuarantineFile, seen: Fact) -> Receipt:
        """Stop and quarantine, by the SHA-1 that `observe` has found."""
        sha1 = seen.handle or self._sha1(action)
        return self._order(action, "StopAndQuarantineFile", {"Sha1": sha1}, lambda each: each.kind == QUARANTINE and each.sha1 == sha1)

    @observes(QuarantineFile)
    def quarantined(self, action: QuarantineFile, receipt: Receipt | None) -> Fact:
        """By the machine action: what lies in quarantine cannot be read."""
        _sha256(action)
        found = self._order_of(receipt) if receipt and receipt.reference else self._ours(action, QUARANTINE)
        return _order_fact(found, is_receipt=bool(receipt)) or _unseen(self._sha1(action))

    def _sha1(self, action: QuarantineFile) -> str:
        """Defender quarantines by SHA-1 alone. Raises Unsupported where it cannot be known; nothing is guessed from a path."""
        sha256 = _sha256(action)
        try:
            known = self._api.get(f"/api/files/{sha256}")
        except (EndpointNotFound, Denied) as error:
            raise Unsupported(f"Defender quarantines by SHA-1, and does not tell that of this file: {error}"[:300]) from None
        sha1 = str(known.get("sha1") or "").lower()
        if str(known.get("sha256")).lower() != sha256 or len(sha1) != 40:  # noqa: PLR2004 - hex digits of a SHA-1
            raise Unsupported("Defender quarantines by SHA-1, and does not tell that of this file")
        return sha1

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL)
    def kill(self, action: KillProcess, _: Fact) -> Receipt:
        """Our script confirms the process and kills it, in one run."""
        return self._run(action, process_wish(action.process))

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL)
    def delete_file(self, action: DeleteFile, _: Fact) -> Receipt:
        """Our script confirms the file and deletes it, in one run."""
        return self._run(action, file_wish(action.file, action.endpoint.os))

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL, remark="a key of HKCU only for users who are logged on")
    def delete_registry_key(self, action: DeleteRegistryKey, _: Fact) -> Receipt:
        """Our script deletes the key, or the one value that is named."""
        return self._run(action, registry_wish(action.registry))

    def _run(self, action: KillProcess | DeleteFile | DeleteRegistryKey, wish: dict[str, str]) -> Receipt:
        script = self._script(action.endpoint)
        mark = identity(action)
        params = [
            {"key": "ScriptName", "value": script.name},
            {"key": "Args", "value": argument(action.verb, mark.rsplit(":", 1)[-1], **wish)},
        ]
        body = {"Commands": [{"type": "RunScript", "params": params}]}
        return self._order(action, "runliveresponse", body, lambda each: each.kind == LIVE_RESPONSE and mark in each.comment)

    def _script(self, endpoint: Endpoint) -> Script:
        """The script for this endpoint, once the library is seen to hold just this content under its name."""
        os = endpoint.os if endpoint.os is not OS.UNKNOWN else self.endpoint(endpoint.agent_id).os
        if os is OS.UNKNOWN:
            raise Unsupported("Defender does not tell the OS of this endpoint, so that no script can be chosen")
        script = Script.named(SCRIPTS[os])
        if self._library().get(script.name) != script.sha256:
            raise Denied(
                f"the live response library has no {script.name} with SHA-256 {script.sha256}: "
                "upload the scripts of this version (upload_scripts, or by hand in the portal), then requeue"
            )
        return script

    def _library(self) -> dict[str, str]:
        return {str(row.get("fileName")): str(row.get("sha256")).lower() for row in self._api.pages(LIBRARY)}

    def _missing(self) -> list[Script]:
        present = self._library()
        return [each for each in map(Script.named, sorted(set(SCRIPTS.values()))) if present.get(each.name) != each.sha256]

    def _scripts_are_there(self) -> str:
        """Raises Denied with the names of those that are not in the library, or are there with other content."""
        missing = ", ".join(each.name for each in self._missing())
        if missing:
            raise Denied(f"the library has no {missing} of this version: upload with `arctl upload-scripts`, or by hand in the portal")
        return "in the library, as shipped"

    def upload_scripts(self) -> tuple[str, ...]:
        """Put those of our scripts into the tenant's library that it has not, or has otherwise; returns their names.

        An operator's act: no action does it by itself.
        """
        missing = self._missing()
        for each in missing:
            about = {"Description": "Active Remediation", "HasParameters": "true", "ParametersDescription": "made by ar_workers"}
            self._api.upload(LIBRARY, each.name, each.content, OverrideIfExists="true", **about)
        return tuple(each.name for each in missing)

    @observes(KillProcess)
    def killed(self, action: KillProcess, receipt: Receipt | None) -> Fact:
        """By what the script said; before it has run, nothing can be seen."""
        process_wish(action.process)
        return self._answer(action, receipt)

    @observes(DeleteFile)
    def file_deleted(self, action: DeleteFile, receipt: Receipt | None) -> Fact:
        """By what the script said; before it has run, nothing can be seen."""
        file_wish(action.file, action.endpoint.os)
        return self._answer(action, receipt)

    @observes(DeleteRegistryKey)
    def key_deleted(self, action: DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By what the script said; before it has run, nothing can be seen."""
        registry_wish(action.registry)
        return self._answer(action, receipt)

    def _answer(self, action: Action, receipt: Receipt | None) -> Fact:
        found = self._order_of(receipt) if receipt and receipt.reference else self._ours(action, LIVE_RESPONSE)
        if found is None or not found.succeeded:
            return _order_fact(found, is_receipt=bool(receipt)) or _unseen()
        link = self._api.get(f"{MACHINE_ACTIONS}/{found.id}/GetLiveResponseResultDownloadLink(index=0)")
        said = outcome(self._api.download(str(link.get("value"))), identity(action).rsplit(":", 1)[-1])
        if said.sight is Sight.REFUSED and not receipt:
            return Fact(sight=Sight.NOT_SO, evidence=f"an earlier order has failed: {said.evidence}")
        return said

    def _ours(self, action: Action, kind: str) -> Order | None:
        """Our own order for this very action, if it is open or has just ended: its receipt was never written down."""
        mark = identity(action)
        marked = [each for each in self._orders(action.endpoints[0].agent_id) if each.kind == kind and mark in each.comment]
        opened = next((each for each in marked if each.is_open), None)
        last = newest(marked)
        return opened or (last if last and datetime.now(UTC) - last.updated < _FRESH else None)


def _os(platform: str) -> OS:
    if platform.startswith("Windows"):
        return OS.WINDOWS
    if platform == "macOS":
        return OS.MACOS
    return OS.UNKNOWN if platform in _NOT_LINUX else OS.LINUX


def _hash(action: BanHash) -> tuple[str, str]:
    """The strongest hash that is known, by the indicator's type."""
    return next((name, value) for kind, name in _HASHES.items() if (value := getattr(action.hash, kind)))


def _sha256(action: QuarantineFile) -> str:
    if not action.file.sha256:
        raise Unsupported("Defender quarantines a file by its hash, and none is known of this one")
    return action.file.sha256


def _comment(action: Action) -> str:
    """What the portal shows beside the order, and what we know our own orders by."""
    return f"Active Remediation {identity(action)}"


def _order_fact(found: Order | None, *, is_receipt: bool) -> Fact | None:
    """What an order's state says of its effect. A failed one of earlier is no verdict: it may be asked again."""
    if found is None:
        return None
    if found.is_open:
        return Fact(sight=Sight.PENDING, evidence=found.story)
    if found.succeeded:
        return Fact(sight=Sight.SO, evidence=found.story)
    return Fact(sight=Sight.REFUSED if is_receipt else Sight.NOT_SO, evidence=found.story)


def _unseen(handle: str = "") -> Fact:
    return Fact(sight=Sight.UNKNOWABLE, evidence="Defender cannot show this beforehand", handle=handle)
