"""The actions of the Defender adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from ...domain.actions import (
    BanDomain,
    BanHash,
    DeleteFile,
    DeleteRegistryKey,
    IsolateEndpoint,
    KillProcess,
    QuarantineFile,
    ReleaseEndpoint,
    UnbanDomain,
    UnbanHash,
    identity,
    mark_of,
)
from ...domain.capabilities import Means
from ...domain.endpoints import OS, Endpoint, Role, Vendor
from ...domain.errors import Denied, EndpointNotFound, Unsupported
from ...domain.facts import Fact, Receipt, Sight
from ...domain.indicators import HashType
from ...domain.limits import Limits, Rate
from ...domain.paths import content_problem
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs, withdraws
from ..ours import changed, ids_in, made
from .api import Config, DefenderAPI
from .checkup import probes
from .indicators import indicator_body, indicator_fact, same_scope, unban_fact, words_of
from .live import argument, file_values, outcome, process_values, registry_values
from .ordering import MACHINES, Orders
from .orders import ISOLATE, LIVE_RESPONSE, QUARANTINE, RELEASE, Isolation, order_fact
from .script_library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...domain.actions import Action
    from ..probes import Probe

FIND_BY_TAG = "/api/machines/findbytag"
INDICATORS = "/api/indicators"

#: Best first, and all that an IOC can carry.
_HASHES = {HashType.SHA256: "FileSha256", HashType.SHA1: "FileSha1", HashType.MD5: "FileMd5"}
#: osPlatform names a Windows release or a distribution, so that what is none of these is some Linux.
_NOT_LINUX = frozenset({"", "None", "Unknown", "Other", "iOS", "iPadOS", "Android"})


class Defender(EDRAdapter):
    """One Defender for Endpoint tenant."""

    vendor = Vendor.DEFENDER
    hash_types = tuple(_HASHES)
    limits = Limits(
        rates=(Rate(calls=100, per=timedelta(minutes=1)), Rate(calls=1500, per=timedelta(hours=1))),
        sessions=25,
        on_429="Retry-After: seconds",
        source="Defender for Endpoint API pages: per API; running live response 10 a minute, one at a time per machine",
    )
    grant = "in Entra, App registrations > API permissions > WindowsDefenderATP, add the role and grant admin consent"

    no_undo: ClassVar[dict[str, str]] = {
        "unquarantine_file": "its API gives no file back: restore it in the portal, or by `MpCmdRun -Restore` on the endpoint"
    }

    def __init__(self, config: Config) -> None:
        self._api = DefenderAPI(config)
        self._orders = Orders(self._api)
        self._library = Library(self._api)
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
        return probes(self._api, self._library.complete)

    def _endpoint(self, machine: dict[str, Any]) -> Endpoint:
        tags = machine.get("machineTags") or []
        groups = tags if self._group_by == "tag" else [machine.get("rbacGroupName")]
        return Endpoint(
            edr=Vendor.DEFENDER,
            agent_id=str(machine.get("id")),
            hostname=str(machine.get("computerDnsName") or machine.get("id")),
            os=_os(str(machine.get("osPlatform") or "")),
            groups=frozenset(str(each) for each in groups or [] if each),
            tags=frozenset(str(each) for each in tags),
            role=Role.SERVER if "server" in str(machine.get("osPlatform")).casefold() else None,
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
        isolation = Isolation.of(self._orders.of(action.endpoint.agent_id))
        against = isolation.opened(RELEASE if kind == ISOLATE else ISOLATE)
        if against:
            return self._orders.cancel(action, against, is_enough=isolation.is_so(kind) or (isolation.last is None and kind == RELEASE))
        same = isolation.opened(kind)
        return Receipt(reference=same[0].id) if same else self._orders.ask(action, route, body, lambda each: each.kind == kind)

    @withdraws(IsolateEndpoint, QuarantineFile, KillProcess, DeleteFile, DeleteRegistryKey)
    def withdraw_order(self, action: Action, receipt: Receipt) -> Fact:
        """Cancel the machine action, which works only before it has begun."""
        found = self._orders.withdrawn(action, receipt)
        sight = Sight.PENDING if found.is_open else Sight.PRESENT if found.succeeded else Sight.ABSENT
        return Fact(sight=sight, evidence=found.story)

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, receipt: Receipt | None) -> Fact:
        """By the isolations and releases on record."""
        return self._isolation(action.endpoint.agent_id, ISOLATE, receipt)

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, receipt: Receipt | None) -> Fact:
        """By the isolations and releases on record; not so while an isolation is still open that could run later."""
        return self._isolation(action.endpoint.agent_id, RELEASE, receipt)

    def _isolation(self, agent_id: str, kind: str, receipt: Receipt | None) -> Fact:
        orders = self._orders.of(agent_id)
        ours = next((each for each in orders if receipt and each.id == receipt.reference), None)
        if receipt and receipt.reference and ours is None:
            ours = self._orders.behind(receipt)
        return Isolation.of(orders).fact(kind, ours)

    @performs(BanHash, on=EVERYWHERE, remark="stored at once; endpoints follow within hours, if the feature `allow or block file` is on")
    def ban_hash(self, action: BanHash, seen: Fact) -> Receipt:
        """An indicator that blocks and remediates. The same value is changed and not doubled."""
        return self._ban(action, *_hash(action), "BlockAndRemediate", seen)

    @observes(BanHash)
    def hash_banned(self, action: BanHash, _: Receipt | None) -> Fact:
        """By the stored indicator, which is no proof that any endpoint has it yet."""
        return self._indicator(*_hash(action))

    @performs(BanDomain, on=EVERYWHERE, remark="needs network protection in block mode, and up to 48 hours")
    def ban_domain(self, action: BanDomain, seen: Fact) -> Receipt:
        """An indicator that blocks."""
        return self._ban(action, "DomainName", action.domain.domain, "Block", seen)

    @observes(BanDomain)
    def domain_banned(self, action: BanDomain, _: Receipt | None) -> Fact:
        """By the stored indicator, which is no proof that any endpoint has it yet."""
        return self._indicator("DomainName", action.domain.domain)

    def _ban(self, action: BanHash | BanDomain, kind: str, value: str, effect: str, seen: Fact) -> Receipt:
        """What stood there before (`handle`) keeps its own words: our mark stands only on what we made."""
        stood = same_scope(self._rows(value), kind, value) if seen.handle else None
        words = words_of(stood) if stood else {"title": "Active Remediation", "description": mark_of(action)}
        stored = self._api.post(INDICATORS, indicator_body(kind, value, effect, words))
        reference = str(stored.get("id") or "")
        return changed(reference, seen) if stood else made(reference)

    def _indicator(self, kind: str, value: str) -> Fact:
        return indicator_fact(self._rows(value), kind, value, datetime.now(UTC))

    def _rows(self, value: str) -> list[dict[str, Any]]:
        return list(self._api.pages(INDICATORS, **{"$filter": f"indicatorValue eq '{value}'"}))

    @performs(UnbanHash, on=EVERYWHERE, remark="deleted at once; endpoints follow within hours")
    def unban_hash(self, _: UnbanHash, seen: Fact) -> Receipt:
        """Delete the indicator that we made."""
        return self._delete(seen)

    @performs(UnbanDomain, on=EVERYWHERE, remark="deleted at once; endpoints follow within hours")
    def unban_domain(self, _: UnbanDomain, seen: Fact) -> Receipt:
        """Delete the indicator that we made."""
        return self._delete(seen)

    def _delete(self, seen: Fact) -> Receipt:
        """One a call; there is one of a value for all machines."""
        first = ids_in(seen)[0]
        self._api.delete(f"{INDICATORS}/{first}")
        return Receipt(reference=first)

    @observes(UnbanHash)
    def hash_unbanned(self, action: UnbanHash, receipt: Receipt | None) -> Fact:
        """By the stored indicators, which is no proof that any endpoint knows yet."""
        kind, value = _hash(action)
        return unban_fact(self._rows(value), action, kind, value, receipt)

    @observes(UnbanDomain)
    def domain_unbanned(self, action: UnbanDomain, receipt: Receipt | None) -> Fact:
        """By the stored indicators, which is no proof that any endpoint knows yet."""
        value = action.domain.domain
        return unban_fact(self._rows(value), action, "DomainName", value, receipt)

    @performs(QuarantineFile, on=WINDOWS, remark="by SHA-1, wherever on the endpoint the file is; its processes are stopped")
    def quarantine(self, action: QuarantineFile, seen: Fact) -> Receipt:
        """Stop and quarantine, by the SHA-1 that `observe` has found."""
        sha1 = seen.handle or self._sha1(action)
        return self._orders.ask(action, "StopAndQuarantineFile", {"Sha1": sha1}, lambda each: each.kind == QUARANTINE and each.sha1 == sha1)

    @observes(QuarantineFile)
    def quarantined(self, action: QuarantineFile, receipt: Receipt | None) -> Fact:
        """By the machine action: what lies in quarantine cannot be read."""
        _permit(action)
        found = self._orders.behind(receipt) if receipt and receipt.reference else self._orders.ours(action, QUARANTINE)
        return order_fact(found, is_receipt=bool(receipt)) or _unseen(self._sha1(action))

    def _sha1(self, action: QuarantineFile) -> str:
        """Defender quarantines by SHA-1 alone. Raises Unsupported where it cannot be known; nothing is guessed from a path."""
        if action.file.sha1:
            return action.file.sha1
        sha256 = _permit(action)
        try:
            known = self._api.get(f"/api/files/{sha256}")
        except (EndpointNotFound, Denied) as error:
            raise Unsupported(f"Defender quarantines by SHA-1, and does not tell that of this file: {error}") from None
        sha1 = str(known.get("sha1") or "").lower()
        if str(known.get("sha256")).lower() != sha256 or len(sha1) != 40:  # noqa: PLR2004 - hex digits of a SHA-1
            raise Unsupported("Defender quarantines by SHA-1, and does not tell that of this file")
        return sha1

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL)
    def kill(self, action: KillProcess, _: Fact) -> Receipt:
        """Our script confirms the process and kills it, in one run."""
        return self._run(action, process_values(action.process))

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL)
    def delete_file(self, action: DeleteFile, _: Fact) -> Receipt:
        """Our script confirms the file and deletes it, in one run."""
        return self._run(action, file_values(action.file, action.endpoint.os))

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL, remark="a key of HKCU only for users who are logged on")
    def delete_registry_key(self, action: DeleteRegistryKey, _: Fact) -> Receipt:
        """Our script deletes the key, or the one value that is named."""
        return self._run(action, registry_values(action.registry))

    def _run(self, action: KillProcess | DeleteFile | DeleteRegistryKey, values: dict[str, str]) -> Receipt:
        endpoint = action.endpoint
        os = endpoint.os if endpoint.os is not OS.UNKNOWN else self.endpoint(endpoint.agent_id).os
        script = self._library.script(os)
        mark = identity(action)
        params = [
            {"key": "ScriptName", "value": script.name},
            {"key": "Args", "value": argument(action.verb, mark.rsplit(":", 1)[-1], **values)},
        ]
        body = {"Commands": [{"type": "RunScript", "params": params}]}
        return self._orders.ask(action, "runliveresponse", body, lambda each: each.kind == LIVE_RESPONSE and mark in each.comment)

    def upload_scripts(self) -> tuple[str, ...]:
        """Put those of our scripts into the tenant's library that it has not, or has otherwise; returns their names.

        An operator's act: no action does it by itself.
        """
        return self._library.upload()

    @observes(KillProcess)
    def killed(self, action: KillProcess, receipt: Receipt | None) -> Fact:
        """By what the script said; before it has run, nothing can be seen."""
        process_values(action.process)
        return self._answer(action, receipt)

    @observes(DeleteFile)
    def file_deleted(self, action: DeleteFile, receipt: Receipt | None) -> Fact:
        """By what the script said; before it has run, nothing can be seen."""
        file_values(action.file, action.endpoint.os)
        return self._answer(action, receipt)

    @observes(DeleteRegistryKey)
    def key_deleted(self, action: DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By what the script said; before it has run, nothing can be seen."""
        registry_values(action.registry)
        return self._answer(action, receipt)

    def _answer(self, action: Action, receipt: Receipt | None) -> Fact:
        found = self._orders.behind(receipt) if receipt and receipt.reference else self._orders.ours(action, LIVE_RESPONSE)
        if found is None or not found.succeeded:
            return order_fact(found, is_receipt=bool(receipt)) or _unseen()
        said = outcome(self._orders.result(found), identity(action).rsplit(":", 1)[-1])
        if said.sight in {Sight.REFUSED, Sight.LOCKED} and not receipt:
            return Fact(sight=Sight.ABSENT, evidence=f"an earlier order has failed: {said.evidence}")
        return said


def _os(platform: str) -> OS:
    if platform.startswith("Windows"):
        return OS.WINDOWS
    if platform == "macOS":
        return OS.MACOS
    return OS.UNKNOWN if platform in _NOT_LINUX else OS.LINUX


def _hash(action: BanHash | UnbanHash) -> tuple[str, str]:
    """The strongest hash that is known, by the indicator's type."""
    return next((name, value) for kind, name in _HASHES.items() if (value := getattr(action.hash, kind)))


def _permit(action: QuarantineFile) -> str:
    """The strongest hash. Raises Denied for a file that nobody may touch, Unsupported for one of unknown content."""
    problem = content_problem(action.file.path, action.endpoint.os)
    if problem:
        raise Denied(problem)
    known = action.file.sha256 or action.file.sha1
    if not known:
        raise Unsupported("Defender quarantines a file by its hash, and none is known of this one")
    return known


def _unseen(handle: str = "") -> Fact:
    return Fact(sight=Sight.UNKNOWABLE, evidence="Defender cannot show this beforehand", handle=handle)
