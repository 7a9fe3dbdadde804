"""The actions of the Carbon Black EDR adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import BanHash, DeleteFile, DeleteRegistryKey, IsolateEndpoint, KillProcess, ReleaseEndpoint, UnbanHash, mark_of
from ...domain.capabilities import Means
from ...domain.endpoints import OS, Endpoint, Role, Vendor
from ...domain.errors import AuthRefused, Denied, EndpointNotFound, EndpointOffline, Unreadable, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.indicators import HashType
from ...domain.limits import Limits, Rate
from ...domain.meant import unconfirmable
from ...domain.volumes import names_no_drive
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs, withdraws
from ..ours import remains
from .api import Config, ResponseAPI, number, sensor_id
from .checkup import probes
from .live_response import DELETE_FILE, Order, Shell, delete_order, kill_order, registry_order
from .looks import file_fact, process_fact, registry_fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..probes import Probe

SENSORS = "/api/v1/sensor"
GROUPS = "/api/v3/group"
BANS = "/api/v1/banning/blacklist"
INFO = "/api/info"

#: Names of sensor groups are read again after this many seconds.
_NAMES_LIVE = 300.0
_SYSTEMS = (
    (OS.WINDOWS, re.compile(r"^windows\b", re.IGNORECASE)),
    (OS.MACOS, re.compile(r"^(?:mac ?os|os ?x|mac\b)", re.IGNORECASE)),
    (OS.LINUX, re.compile(r"linux|^(?:centos|red hat|rhel|ubuntu|debian|suse|sles|opensuse|fedora|oracle|rocky|alma)", re.IGNORECASE)),
)
#: The only code of `os_type` that is documented for a sensor.
_WINDOWS_TYPE = 1
#: What says that no such hash is banned: the vendor's own client expects either.
_NOT_BANNED = frozenset({404, 409})
_MOST_NAMED = 5


class CarbonBlackEDR(EDRAdapter):
    """One server. An endpoint's `agent_id` is its sensor's number."""

    vendor = Vendor.CARBON_BLACK_EDR
    #: The ban list knows nothing else.
    hash_types = (HashType.MD5,)
    limits = Limits(
        rates=(Rate(calls=300, per=timedelta(minutes=1)),),
        sessions=10,
        on_429="nothing: a 429 is not documented; Retry-After is read if a proxy in front sends one",
        source="the vendor documents no limit: a cautious guess for a server of the customer's own size",
    )
    grant = "in the console, Users and Teams, make the user a Global Administrator, or an Analyst with the enhanced permission"

    def __init__(self, config: Config) -> None:
        self._api = ResponseAPI(config)
        self._patience = config.patience
        self._names: dict[int, str] = {}
        self._names_read = 0.0

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as the server shows it now. Raises EndpointNotFound, also for an uninstalled sensor."""
        return self._endpoint(self._sensor(agent_id))

    def members(self, group: str) -> Iterator[Endpoint]:
        """The sensors of a group of exactly this name. The server lists them in one piece."""
        ids = [each for each, name in self._group_names(fresh=True).items() if name == group]
        if not ids:
            raise Denied(f"Carbon Black EDR has no sensor group named {group!r}")
        for group_id in ids:
            rows = self._api.rows(SENSORS, groupid=group_id)
            yield from (self._endpoint(row) for row in rows if number(row.get("group_id")) == group_id and not _is_uninstalled(row))

    def sign_in(self) -> object:
        """What a client asks first."""
        return self._api.document(INFO)

    def probes(self) -> Iterator[Probe]:
        """See `checkup`."""
        return probes(self._api)

    def _sensor(self, agent_id: str) -> dict[str, Any]:
        reply = self._api.get(f"{SENSORS}/{sensor_id(agent_id)}", expects=frozenset({404}))
        row = reply.body if isinstance(reply.body, dict) else {}
        if reply.status == 404 or _is_uninstalled(row):  # noqa: PLR2004
            raise EndpointNotFound(f"Carbon Black EDR has no installed sensor {agent_id}")
        if str(row.get("id")) != agent_id:
            raise VendorFault(f"GET {SENSORS}/{agent_id}: the reply is not about this sensor")
        return row

    def _endpoint(self, row: dict[str, Any]) -> Endpoint:
        sensor, group = number(row.get("id")), number(row.get("group_id"))
        if sensor is None:
            raise VendorFault(f"GET {SENSORS}: a sensor without an id")
        names = self._group_names(fresh=False)
        if group not in names:
            names = self._group_names(fresh=True)
        return Endpoint(
            edr=Vendor.CARBON_BLACK_EDR,
            agent_id=str(sensor),
            hostname=str(row.get("computer_name") or row.get("computer_dns_name") or sensor),
            os=os_of(row),
            groups=frozenset() if group is None else frozenset({names.get(group, str(group))}),
            role=Role.SERVER if "server" in str(row.get("os_environment_display_string")).casefold() else None,
        )

    def _group_names(self, *, fresh: bool) -> dict[int, str]:
        if fresh or not self._names or time.monotonic() - self._names_read > _NAMES_LIVE:
            rows = self._api.rows(GROUPS)
            self._names = {group: str(row.get("name")) for row in rows if (group := number(row.get("id"))) is not None}
            self._names_read = time.monotonic()
        return self._names

    @performs(IsolateEndpoint, on=EVERYWHERE)
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """Set the flag; the sensor reads it when it checks in."""
        return self._set_flag(action.endpoint.agent_id, is_isolated=True)

    @performs(ReleaseEndpoint, on=EVERYWHERE)
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Take the flag back."""
        return self._set_flag(action.endpoint.agent_id, is_isolated=False)

    def _set_flag(self, agent_id: str, *, is_isolated: bool) -> Receipt:
        """Two fields and no more: since 7.1 a whole sensor is refused. The group is the present one, so that nothing moves."""
        row = self._sensor(agent_id)
        group = number(row.get("group_id"))
        if group is None:
            raise VendorFault(f"GET {SENSORS}/{agent_id}: the sensor shows no group")
        if is_isolated:
            _refuse_if_unable(row)
        self._api.send("PUT", f"{SENSORS}/{row['id']}", {"network_isolation_enabled": is_isolated, "group_id": group})
        return Receipt(reference=agent_id)

    @withdraws(IsolateEndpoint)
    def withdraw_isolation(self, action: IsolateEndpoint, _: Receipt) -> Fact:
        """What is wanted is taken back, before the sensor has read it."""
        self._set_flag(action.endpoint.agent_id, is_isolated=False)
        return _flags(self._sensor(action.endpoint.agent_id), is_isolated=True)

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, _: Receipt | None) -> Fact:
        """By both flags: what is wanted, and what is. Raises Unsupported if the sensor cannot isolate."""
        row = self._sensor(action.endpoint.agent_id)
        fact = _flags(row, is_isolated=True)
        if fact.sight is not Sight.PRESENT:
            _refuse_if_unable(row)
        return fact

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, _: Receipt | None) -> Fact:
        """By both flags."""
        return _flags(self._sensor(action.endpoint.agent_id), is_isolated=False)

    @performs(BanHash, on=EVERYWHERE, remark="blocks only in sensor groups whose process banning is switched on")
    def ban_hash(self, action: BanHash, _: Fact) -> Receipt:
        """Add the hash to the server's ban list, or enable it there again."""
        body = {
            "md5hash": self._md5(action),
            "text": mark_of(action),
            "enabled": True,
            "last_ban_time": "0",
            "ban_count": "0",
            "last_ban_host": "0",
        }
        reply = self._api.send("POST", BANS, body, expects=frozenset({409}))
        # 409: it is on the list; whether it is enabled there, the next look tells.
        return Receipt(reference=body["md5hash"], detail={"conflict": "409"} if reply.status == 409 else {})  # noqa: PLR2004

    @observes(BanHash)
    def hash_banned(self, action: BanHash, _: Receipt | None) -> Fact:
        """By the ban list; the evidence says where it is not enforced."""
        row = self._ban_of(self._md5(action))
        if not row:
            return Fact(sight=Sight.ABSENT, evidence="not on the ban list")
        if row.get("enabled") is not True:
            return Fact(sight=Sight.ABSENT, evidence="on the ban list, and not enabled")
        return Fact(sight=Sight.PRESENT, evidence=f"on the ban list, enabled{self._unenforced()}")

    def _ban_of(self, md5: str) -> dict[str, Any]:
        """The hash's row on the ban list, which stays there when its ban is lifted; empty where there never was one."""
        reply = self._api.get(f"{BANS}/{md5}", expects=_NOT_BANNED)
        if reply.status in _NOT_BANNED:
            return {}
        row = reply.body if isinstance(reply.body, dict) else {}
        if str(row.get("md5hash", "")).lower() != md5:
            raise VendorFault(f"GET {BANS}: the reply is not about this hash")
        return row

    @performs(UnbanHash, on=EVERYWHERE)
    def unban_hash(self, action: UnbanHash, _: Fact) -> Receipt:
        """Lift the ban: the row stays on the list, disabled. 409: it is lifted already."""
        md5 = self._md5(action)
        self._api.send("DELETE", f"{BANS}/{md5}", None, expects=frozenset({409}))
        return Receipt(reference=md5)

    @observes(UnbanHash)
    def hash_unbanned(self, action: UnbanHash, receipt: Receipt | None) -> Fact:
        """By the ban list. Its only id is the hash, so that our mark alone tells a ban of ours."""
        md5 = self._md5(action)
        row = self._ban_of(md5)
        is_banned, is_own = row.get("enabled") is True, row.get("text") == mark_of(action)
        others = [f"by {row.get('username') or 'somebody'}, {row.get('text') or 'without a note'}"]
        return remains([md5] if is_banned and is_own else [], others if is_banned and not is_own else [], receipt, "the ban list")

    def _md5(self, action: BanHash | UnbanHash) -> str:
        found = action.hash.best(self.hash_types)
        if not found:
            raise Unsupported("Carbon Black EDR bans md5, and this IOC carries none")
        return found[1]

    def _unenforced(self) -> str:
        """Where the ban list is not enforced: the switch of a sensor group is off unless somebody has turned it on."""
        try:
            if self._api.document(INFO).get("banningEnabled") is False:
                return ", but nothing is blocked: banning is switched off on the server"
            off = sorted(str(row.get("name")) for row in self._api.rows(GROUPS) if row.get("banning_enabled") is not True)
        except (AuthRefused, Denied):
            return "; the token may not read whether the sensor groups enforce it"
        more = f" and {len(off) - _MOST_NAMED} more" if len(off) > _MOST_NAMED else ""
        return (
            f", but not enforced in these sensor groups, whose banning is switched off: {', '.join(off[:_MOST_NAMED])}{more}" if off else ""
        )

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL)
    def kill(self, action: KillProcess, seen: Fact) -> Receipt:
        """`kill` over Live Response."""
        return self._act(action.endpoint, seen, kill_order(action.process))

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL)
    def delete_file(self, action: DeleteFile, seen: Fact) -> Receipt:
        """`delete file` over Live Response."""
        return self._act(action.endpoint, seen, delete_order(action.file.path, action.endpoint.os))

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL)
    def delete_registry_key(self, action: DeleteRegistryKey, seen: Fact) -> Receipt:
        """`reg delete key` or `reg delete value` over Live Response."""
        return self._act(action.endpoint, seen, registry_order(action.registry))

    def _act(self, endpoint: Endpoint, seen: Fact, order: Order) -> Receipt:
        shell = self._at(endpoint, seen.handle) if seen.handle else self._shell(endpoint, order.name)
        return Receipt(reference=shell.act(order), detail={"session": shell.session})

    @observes(KillProcess)
    def killed(self, action: KillProcess, receipt: Receipt | None) -> Fact:
        """By the list of processes."""
        os = action.endpoint.os
        order = kill_order(action.process)
        return self._effect(action.endpoint, order, receipt, "process list", lambda shell: process_fact(shell, action.process, os))

    @observes(DeleteFile)
    def file_deleted(self, action: DeleteFile, receipt: Receipt | None) -> Fact:
        """By the list of its folder."""
        os = action.endpoint.os
        order = delete_order(action.file.path, os)
        problem = names_no_drive(action.file.path, "Live Response") or unconfirmable(action.file)
        if problem:
            raise Unsupported(problem)
        return self._effect(action.endpoint, order, receipt, "directory list", lambda shell: file_fact(shell, action.file, os))

    @observes(DeleteRegistryKey)
    def key_deleted(self, action: DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By the values of the key."""
        order = registry_order(action.registry)
        return self._effect(action.endpoint, order, receipt, "reg enum key", lambda shell: registry_fact(shell, action.registry))

    def _effect(self, endpoint: Endpoint, order: Order, receipt: Receipt | None, needs: str, look: Callable[[Shell], Fact]) -> Fact:
        """What the endpoint shows, once no such order is under way; an order that failed and changed nothing is REFUSED."""
        kept = receipt.detail.get("session", "") if receipt else ""
        outcome = self._at(endpoint, kept).outcome(receipt.reference) if receipt and kept else None
        if outcome and not outcome.is_over:
            return Fact(sight=Sight.PENDING, evidence="the sensor has not answered yet")
        shell = self._shell(endpoint, order.name, needs)
        if outcome is None and shell.is_under_way(order):
            return Fact(sight=Sight.PENDING, evidence=f"the same {order.name!r} is already under way in Live Response")
        has_failed = outcome is not None and bool(outcome.problem)
        try:
            fact = look(shell)
        except Unreadable as error:
            if has_failed:
                return Fact(sight=Sight.LOCKED, evidence=str(error))
            raise
        if outcome and has_failed and fact.sight is Sight.ABSENT:
            is_locked = outcome.says_locked and order.name == DELETE_FILE
            return Fact(sight=Sight.LOCKED if is_locked else Sight.REFUSED, evidence=f"Live Response: {outcome.problem}")
        return fact

    def _shell(self, endpoint: Endpoint, *needs: str) -> Shell:
        """A session that the sensor has joined. Raises EndpointOffline: an order is not left for a time that nobody chose."""
        row = self._sensor(endpoint.agent_id)
        if row.get("supports_cblr") is False:
            raise Unsupported("the sensor does not support Live Response")
        if str(row.get("status")).lower() != "online":
            raise EndpointOffline(f"sensor {endpoint.agent_id} is {row.get('status')}")
        return self._at(endpoint).open(*needs)

    def _at(self, endpoint: Endpoint, session: str = "") -> Shell:
        return Shell(self._api, sensor_id(endpoint.agent_id), session, patience=self._patience)


def os_of(row: dict[str, Any]) -> OS:
    """By the system's name in words; of the numbers only that of Windows is documented."""
    words = str(row.get("os_environment_display_string") or "").strip()
    found = next((os for os, shape in _SYSTEMS if shape.search(words)), OS.UNKNOWN)
    return OS.WINDOWS if found is OS.UNKNOWN and not words and number(row.get("os_type")) == _WINDOWS_TYPE else found


def _is_uninstalled(row: dict[str, Any]) -> bool:
    """`uninstalled` may be null; `uninstall` only says that it was asked for."""
    return row.get("uninstalled") is True or str(row.get("status")).startswith("Uninstalled")


def _refuse_if_unable(row: dict[str, Any]) -> None:
    if row.get("supports_isolation") is False:
        raise Unsupported("the sensor does not support isolation")


def _flags(row: dict[str, Any], *, is_isolated: bool) -> Fact:
    """PRESENT where flag and fact are as asked, PENDING where only the flag is. Null is no."""
    wanted, actual = row.get("network_isolation_enabled") is True, row.get("is_isolating") is True
    sight = Sight.ABSENT if wanted != is_isolated else Sight.PRESENT if actual == is_isolated else Sight.PENDING
    shown = f"isolation is {'wanted' if wanted else 'not wanted'}, the sensor is {'isolated' if actual else 'not isolated'}"
    is_away = sight is Sight.PENDING and row.get("status") == "Offline"
    return Fact(sight=sight, evidence=f"{shown}, and is offline" if is_away else shown)
