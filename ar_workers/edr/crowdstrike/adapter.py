"""The actions of the Falcon adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import (
    BanDomain,
    BanHash,
    DeleteFile,
    DeleteRegistryKey,
    IsolateEndpoint,
    KillProcess,
    ReleaseEndpoint,
    UnbanDomain,
    UnbanHash,
    mark_of,
)
from ...domain.capabilities import Means
from ...domain.endpoints import OS, Endpoint, Role, Vendor
from ...domain.errors import Denied, EndpointNotFound, Unreadable, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.indicators import HashType
from ...domain.limits import Limits, Rate
from ...domain.meant import unconfirmable
from ...domain.volumes import names_no_drive
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs, withdraws
from ..ours import changed, ids_in, made, unbanned
from .api import Config, FalconAPI, raise_first
from .checkup import probes
from .looks import drive_path, file_fact, process_fact, registry_fact
from .rtr import ACTING, SESSION_GONE, Output, Shell, path_argument, pid_argument, registry_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...domain.actions import Action
    from ..probes import Probe

DEVICES = "/devices/entities/devices/v2"
DEVICE_ACTIONS = "/devices/entities/devices-actions/v2"
HOST_GROUPS = "/devices/combined/host-groups/v1"
COMBINED_DEVICES = "/devices/combined/devices/v1"
INDICATORS = "/iocs/entities/indicators/v1"
FIND_INDICATORS = "/iocs/combined/indicator/v1"

_ROLES = {"Workstation": Role.WORKSTATION, "Server": Role.SERVER, "Domain Controller": Role.DOMAIN_CONTROLLER}
_PLATFORMS = {"Windows": OS.WINDOWS, "Mac": OS.MACOS, "Linux": OS.LINUX}
_PAGE = 500
#: Actions of an indicator that keep nothing from anybody.
_NO_BAN = frozenset({"allow", "no_action"})
#: Names of host groups are read again after this many seconds.
_NAMES_LIVE = 300.0


class CrowdStrike(EDRAdapter):
    """One Falcon tenant."""

    vendor = Vendor.CROWDSTRIKE
    #: Best first. A custom IOC knows no SHA-1.
    hash_types = (HashType.SHA256, HashType.MD5)
    limits = Limits(
        rates=(Rate(calls=6000, per=timedelta(minutes=1)),),
        on_429="X-RateLimit-RetryAfter: an absolute time in epoch seconds",
        source="api.crowdstrike.com rate limits: one pool for all API clients of a tenant",
    )
    grant = "in Falcon, Support and resources > API clients and keys, add the scope"

    def __init__(self, config: Config) -> None:
        self._api = FalconAPI(config)
        self._names: dict[str, str] = {}
        self._names_read = 0.0

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as Falcon shows it now. Raises EndpointNotFound."""
        return self._endpoint(self._device(agent_id))

    def members(self, group: str) -> Iterator[Endpoint]:
        """Page through a host group of exactly this name; Falcon's own name search may fold case or match parts."""
        ids = [each for each, name in self._group_names(fresh=True).items() if name == group]
        if not ids:
            raise Denied(f"Falcon has no host group named {group!r}")
        for group_id in ids:
            yield from map(self._endpoint, self._pages(COMBINED_DEVICES, filter=f"groups:'{group_id}'"))

    def sign_in(self) -> None:
        """A token."""
        self._api.sign_in()

    def probes(self) -> Iterator[Probe]:
        """See `checkup`."""
        return probes(self._api)

    def _pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every resource of a list, by its `next` token or, where there is none, by offset."""
        offset: str | int = 0
        seen = 0
        while True:
            answer = self._api.get(path, limit=_PAGE, **query, **({"offset": offset} if offset else {}))
            raise_first(answer, path)
            yield from answer.resources
            seen += len(answer.resources)
            total = int(answer.pagination.get("total") or 0)
            if seen >= total:
                return
            if not answer.resources:
                raise VendorFault(f"GET {path}: the list ended at {seen} of {total}")
            offset = answer.pagination.get("next") or answer.pagination.get("after") or seen

    def _device(self, agent_id: str) -> dict[str, Any]:
        answer = self._api.get(DEVICES, ids=agent_id)
        found = [each for each in answer.resources if isinstance(each, dict) and each.get("device_id") == agent_id]
        if not found:
            raise_first(answer, "device")
            raise EndpointNotFound(f"Falcon knows no device {agent_id}")
        return found[0]

    def _endpoint(self, device: dict[str, Any]) -> Endpoint:
        groups = [str(each) for each in device.get("groups") or []]
        names = self._group_names(fresh=False)
        if any(each not in names for each in groups):
            names = self._group_names(fresh=True)
        return Endpoint(
            edr=Vendor.CROWDSTRIKE,
            agent_id=str(device["device_id"]),
            hostname=str(device.get("hostname") or device["device_id"]),
            os=_PLATFORMS.get(str(device.get("platform_name")), OS.UNKNOWN),
            groups=frozenset(names.get(each, each) for each in groups),
            tags=frozenset(str(each) for each in device.get("tags") or []),
            role=_ROLES.get(str(device.get("product_type_desc"))),
        )

    def _group_names(self, *, fresh: bool) -> dict[str, str]:
        if fresh or not self._names or time.monotonic() - self._names_read > _NAMES_LIVE:
            self._names = {str(each["id"]): str(each["name"]) for each in self._pages(HOST_GROUPS)}
            self._names_read = time.monotonic()
        return self._names

    @performs(IsolateEndpoint, on=EVERYWHERE)
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """202 is a place in the queue, not an isolation."""
        return self._contain(action.endpoint.agent_id, "contain")

    @performs(ReleaseEndpoint, on=EVERYWHERE)
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Lift the containment."""
        return self._contain(action.endpoint.agent_id, "lift_containment")

    def _contain(self, agent_id: str, name: str) -> Receipt:
        answer = self._api.send("POST", DEVICE_ACTIONS, {"ids": [agent_id]}, expects=frozenset({404, 409}), action_name=name)
        codes = {str(each.get("code")) for each in answer.errors}
        if answer.status == 409 or "409" in codes:  # noqa: PLR2004 - already so, or on the way: the next look tells which
            return Receipt(reference=agent_id, detail={"conflict": "409"})
        raise_first(answer, name)
        if not any(isinstance(each, dict) and each.get("id") == agent_id for each in answer.resources):
            raise VendorFault(f"{name}: {answer.status} without this device")
        return Receipt(reference=agent_id)

    @withdraws(IsolateEndpoint)
    def withdraw_isolation(self, action: IsolateEndpoint, _: Receipt) -> Fact:
        """Lift what is pending. Whether that goes straight back is not documented: the status tells, also after a 409."""
        self._contain(action.endpoint.agent_id, "lift_containment")
        return self.isolated(action, None)

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, _: Receipt | None) -> Fact:
        """By the device's status: normal, containment_pending, contained, lift_containment_pending."""
        return self._status(action.endpoint.agent_id, so="contained", pending="containment_pending")

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, _: Receipt | None) -> Fact:
        """By the device's status."""
        return self._status(action.endpoint.agent_id, so="normal", pending="lift_containment_pending")

    def _status(self, agent_id: str, *, so: str, pending: str) -> Fact:
        device = self._device(agent_id)
        status = str(device.get("status") or "")
        sight = Sight.PRESENT if status == so else Sight.PENDING if status == pending else Sight.ABSENT
        seen = f", last seen {device.get('last_seen') or 'at no time'}" if sight is Sight.PENDING else ""
        return Fact(sight=sight, evidence=f"Falcon shows status {status or 'none'}{seen}")

    @performs(BanHash, on=EVERYWHERE)
    def ban_hash(self, action: BanHash, seen: Fact) -> Receipt:
        """A custom IOC that prevents, everywhere."""
        kind, value = self._hash(action)
        return self._ban(action, {"type": kind, "value": value}, "prevent", seen)

    @observes(BanHash)
    def hash_banned(self, action: BanHash, _: Receipt | None) -> Fact:
        """By the stored indicator."""
        kind, value = self._hash(action)
        return self._indicator(kind, value, "prevent")

    @performs(UnbanHash, on=EVERYWHERE)
    def unban_hash(self, _: UnbanHash, seen: Fact) -> Receipt:
        """Delete the indicator that we made."""
        return self._delete(seen)

    @observes(UnbanHash)
    def hash_unbanned(self, action: UnbanHash, receipt: Receipt | None) -> Fact:
        """By the stored indicators."""
        return self._unbanned(action, *self._hash(action), receipt)

    def _hash(self, action: BanHash | UnbanHash) -> tuple[str, str]:
        found = action.hash.best(self.hash_types)
        if not found:
            raise Unsupported("Falcon bans sha256 or md5, and this IOC carries neither")
        return found

    @performs(BanDomain, on=EVERYWHERE, means=Means.DETECT_ONLY, remark="a custom IOC on a domain alerts and does not block")
    def ban_domain(self, action: BanDomain, seen: Fact) -> Receipt:
        """A custom IOC that detects: Falcon takes no other action for a domain."""
        return self._ban(action, {"type": "domain", "value": action.domain.domain}, "detect", seen)

    @observes(BanDomain)
    def domain_banned(self, action: BanDomain, _: Receipt | None) -> Fact:
        """By the stored indicator; the evidence says that it does not block."""
        fact = self._indicator("domain", action.domain.domain, "detect")
        return fact.model_copy(update={"evidence": f"detect-only, Falcon does not block domains: {fact.evidence}"})

    @performs(UnbanDomain, on=EVERYWHERE)
    def unban_domain(self, _: UnbanDomain, seen: Fact) -> Receipt:
        """Delete the indicator that we made."""
        return self._delete(seen)

    @observes(UnbanDomain)
    def domain_unbanned(self, action: UnbanDomain, receipt: Receipt | None) -> Fact:
        """By the stored indicators."""
        return self._unbanned(action, "domain", action.domain.domain, receipt)

    def _ban(self, action: BanHash | BanDomain, what: dict[str, str], effect: str, seen: Fact) -> Receipt:
        """Create the indicator, or change the one that was seen (`handle`): a second one of the same value is refused.

        What is changed keeps its own words: our mark stands only on what we made.
        """
        wanted = {"action": effect, "severity": "high", "platforms": ["windows", "mac", "linux"], "applied_globally": True}
        new = {**what, "description": mark_of(action), "source": "ar_workers"}
        row = {**({"id": seen.handle} if seen.handle else new), **wanted}
        answer = self._api.send(
            "PATCH" if seen.handle else "POST",
            INDICATORS,
            {"comment": "Active Remediation", "indicators": [row]},
            expects=frozenset({400}),
        )
        # The words of Falcon's own cloud, which are in English whatever the endpoint speaks; the code is that of any bad row.
        if any("duplicate" in str(each.get("message", "")).lower() for each in answer.errors):
            # Somebody was faster; whether theirs is as wanted, the next look tells.
            return Receipt(detail={"conflict": "duplicate"})
        raise_first(answer, "indicator")
        first = answer.resources[0] if answer.resources else {}
        reference = str(first.get("id", ""))
        return changed(reference, seen) if seen.handle else made(reference)

    def _delete(self, seen: Fact) -> Receipt:
        """By ids alone: a `filter` beside them would override them, and delete whatever it finds."""
        about = {"ids": ids_in(seen), "comment": "Active Remediation"}
        answer = self._api.send("DELETE", INDICATORS, None, expects=frozenset({404}), **about)
        if answer.status != 404:  # noqa: PLR2004 - somebody was faster
            raise_first(answer, "indicator")
        return Receipt(reference=seen.handle)

    def _unbanned(self, action: UnbanHash | UnbanDomain, kind: str, value: str, receipt: Receipt | None) -> Fact:
        """What somebody has made an exception of since is no ban any more, and their word."""
        rows = [row for row in self._live(kind, value) if row.get("action") not in _NO_BAN]
        return unbanned(action, rows, receipt, where="Falcon", words="action {action}, by {created_by}")

    def _live(self, kind: str, value: str) -> list[dict[str, Any]]:
        """The indicators of exactly this value."""
        answer = self._api.get(FIND_INDICATORS, filter=f"type:'{kind}'+value:'{value}'", limit=10)
        raise_first(answer, "indicators")
        exact = [row for row in answer.resources if row.get("type") == kind and str(row.get("value", "")).lower() == value]
        return [row for row in exact if not row.get("deleted")]

    def _indicator(self, kind: str, value: str, effect: str) -> Fact:
        live = self._live(kind, value)
        if not live:
            return Fact(sight=Sight.ABSENT, evidence="no such indicator")
        row = live[0]
        is_so = row.get("action") == effect and row.get("applied_globally") is True and not row.get("expired")
        state = "expired" if row.get("expired") else f"action {row.get('action')}"
        return Fact(
            sight=Sight.PRESENT if is_so else Sight.ABSENT, evidence=f"Falcon holds the indicator, {state}", handle=str(row.get("id", ""))
        )

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL)
    def kill(self, action: KillProcess, seen: Fact) -> Receipt:
        """`kill PID` over RTR."""
        return self._act(action.endpoint.agent_id, seen, "kill", pid_argument(action.process))

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL)
    def delete_file(self, action: DeleteFile, seen: Fact) -> Receipt:
        """`rm PATH` over RTR."""
        path = self._located(Shell(self._api, action.endpoint.agent_id, seen.handle), action)
        return self._act(action.endpoint.agent_id, seen, "rm", path)

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL)
    def delete_registry_key(self, action: DeleteRegistryKey, seen: Fact) -> Receipt:
        """`reg delete KEY [VALUE]` over RTR."""
        return self._act(action.endpoint.agent_id, seen, "reg delete", *registry_arguments(action.registry))

    def _act(self, agent_id: str, seen: Fact, base: str, *arguments: str) -> Receipt:
        request_id = Shell(self._api, agent_id, seen.handle).act(base, *arguments)
        return Receipt(reference=request_id, detail={"session": seen.handle})

    @observes(KillProcess)
    def killed(self, action: KillProcess, receipt: Receipt | None) -> Fact:
        """By `ps`; a process that is there is the one meant only if its image confirms it."""
        pid_argument(action.process)
        return self._effect(action, receipt, lambda shell: process_fact(shell, action.process))

    @observes(DeleteFile)
    def file_deleted(self, action: DeleteFile, receipt: Receipt | None) -> Fact:
        """By `filehash`: absent, there with the content that is meant, or another file."""
        path_argument(action.file.path, action.endpoint.os)
        problem = unconfirmable(action.file)
        if problem:
            raise Unsupported(problem)
        return self._effect(action, receipt, lambda shell: file_fact(shell, self._located(shell, action), action.file.sha256))

    @staticmethod
    def _located(shell: Shell, action: DeleteFile) -> str:
        """The path by its drive. Raises Denied for one that must not be acted on, Unsupported if the endpoint does not tell the drive."""
        path, os = path_argument(action.file.path, action.endpoint.os), action.endpoint.os
        located = drive_path(shell, path)
        if located is None:
            raise Unsupported(names_no_drive(path, "Falcon's shell") or "")
        return path_argument(located, os)

    @observes(DeleteRegistryKey)
    def key_deleted(self, action: DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By `reg query`."""
        arguments = registry_arguments(action.registry)
        return self._effect(action, receipt, lambda shell: registry_fact(shell, arguments))

    def _effect(self, action: Action, receipt: Receipt | None, look: Callable[[Shell], Fact]) -> Fact:
        """What the endpoint shows once the command of `receipt` has ended. Whatever that printed, an effect that is there is there.

        One that failed and changed nothing is REFUSED, or LOCKED where it was to delete a file that it has confirmed, or that
        cannot be read: why it failed stands in words alone, and to ask again is harmless.
        """
        agent_id = action.endpoints[0].agent_id
        output = self._command_output(agent_id, receipt) if receipt and receipt.reference else None
        if output and not output.complete:
            return Fact(sight=Sight.PENDING, evidence="the sensor has not answered yet")
        failure = output.stderr if output else ""
        try:
            fact = look(Shell(self._api, agent_id).open())
        except Unreadable as error:
            if failure:
                return Fact(sight=Sight.LOCKED, evidence=str(error))
            raise
        if failure and fact.sight is Sight.ABSENT:
            return Fact(sight=Sight.LOCKED if action.verb == "delete_file" else Sight.REFUSED, evidence=failure)
        return fact

    def _command_output(self, agent_id: str, receipt: Receipt) -> Output | None:
        """None: the session is gone and took the output along; only the endpoint itself can tell then."""
        shell = Shell(self._api, agent_id, receipt.detail.get("session", ""))
        try:
            return shell.output_of(receipt.reference, ACTING)
        except Denied as error:
            if error.code in {SESSION_GONE, "404"}:
                return None
            raise
