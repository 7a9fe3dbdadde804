"""The actions of the Carbon Black Cloud adapter: each asks once, and looks for the effect itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...domain.actions import BanHash, DeleteFile, DeleteRegistryKey, IsolateEndpoint, KillProcess, ReleaseEndpoint, UnbanHash, mark_of
from ...domain.capabilities import Means
from ...domain.endpoints import Endpoint, Vendor
from ...domain.errors import Denied, EndpointNotFound, Unreadable, Unsupported, VendorFault
from ...domain.facts import Fact, Receipt, Sight
from ...domain.guards import target_problem
from ...domain.indicators import HashType
from ...domain.limits import Limits, Rate
from ...domain.meant import unconfirmable
from ...domain.text import whole
from ...domain.volumes import names_no_drive
from ..base import EVERYWHERE, WINDOWS, EDRAdapter, observes, performs, withdraws
from ..ours import ids_in, made, unbanned
from .api import CloudAPI, Config
from .checkup import devices, probes
from .devices import Devices, number_of
from .evidence import file_fact, process_fact, registry_fact, registry_path
from .live_response import LiveResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...domain.actions import Action
    from ..probes import Probe
    from .live_response import Command, Session

DEVICE_ACTIONS = "/appservices/v6/orgs/{org}/device_actions"
OVERRIDES = "/appservices/v6/orgs/{org}/reputations/overrides"

_BANNED, _APPROVED = "BLACK_LIST", "WHITE_LIST"
#: A sensor that is on reports about once a minute; one that has not for so long may have orders waiting.
_AWAY = timedelta(minutes=5)
#: A contact so much later than an order has brought it to the sensor. The header with the order's time knows whole seconds only, and
#: the services' clocks may be some apart.
_BEHIND = timedelta(seconds=30)


class CarbonBlackCloud(EDRAdapter):
    """One organisation of Carbon Black Cloud. Its device ids, which are numbers, are our `agent_id`."""

    vendor = Vendor.CARBON_BLACK_CLOUD
    #: A reputation override knows nothing else.
    hash_types = (HashType.SHA256,)
    limits = Limits(
        rates=(Rate(calls=1000, per=timedelta(minutes=5)),),
        counted_by="address",
        on_429="Retry-After: seconds; a call before then prolongs it",
        source="developer.carbonblack.com, rate limiting: a sliding window per source address, 1000 in 5 minutes as an example",
    )
    grant = "in the console, Settings > API Access > Access Levels, add the permission"

    def __init__(self, config: Config) -> None:
        self._api = CloudAPI(config)
        self._live = LiveResponse(self._api, patience=config.patience)
        self._by_policy = config.group_by == "policy"
        self._devices = Devices(self._api, by_policy=self._by_policy)

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as the organisation shows it now. Raises EndpointNotFound, also for a registration that was left."""
        return self._devices.endpoint(self._devices.read(agent_id)[0])

    def members(self, group: str) -> Iterator[Endpoint]:
        """The enrolled endpoints of the asset group, or policy, of exactly this name."""
        return self._devices.members(group)

    def sign_in(self) -> object:
        """A look at one device."""
        return devices(self._api)

    def probes(self) -> Iterator[Probe]:
        """See `checkup`."""
        return probes(self._api, by_policy=self._by_policy)

    @performs(IsolateEndpoint, on=EVERYWHERE, remark="on Linux from sensor 2.13")
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """204 is an order for the sensor's next contact, not an isolation."""
        return self._quarantine(action.endpoint.agent_id, "ON")

    @performs(ReleaseEndpoint, on=EVERYWHERE, remark="on Linux from sensor 2.13")
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Lift the quarantine."""
        return self._quarantine(action.endpoint.agent_id, "OFF")

    def _quarantine(self, agent_id: str, toggle: str) -> Receipt:
        """Always one device by its id: a `search` in its place would act on whatever it finds, and an empty one on all."""
        order = {"action_type": "QUARANTINE", "device_id": [str(number_of(agent_id))], "options": {"toggle": toggle}}
        answer = self._api.post(DEVICE_ACTIONS, order, expects=frozenset({404}))
        if answer.status == 404:  # noqa: PLR2004
            raise EndpointNotFound(f"Carbon Black Cloud knows no device {agent_id}")
        return Receipt(reference=agent_id, detail={"asked_at": answer.at.isoformat()} if answer.at else {})

    @withdraws(IsolateEndpoint)
    def withdraw_isolation(self, action: IsolateEndpoint, _: Receipt) -> Fact:
        """Lift the quarantine that waits for the sensor. No order shows, so that only the next contact tells."""
        self._quarantine(action.endpoint.agent_id, "OFF")
        device, _now = self._devices.read(action.endpoint.agent_id)
        is_so = device.get("quarantined") is True
        said = f"Carbon Black Cloud took the order to lift the quarantine, and shows no order that waits; {_isolation(device)}"
        return Fact(sight=Sight.PRESENT if is_so else Sight.UNKNOWABLE, evidence=said)

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, receipt: Receipt | None) -> Fact:
        """By the device's `quarantined`. An order that waits for the sensor shows nowhere, but the last one counts; and once the sensor
        has reported since, and shows nothing, there is none that waits.

        So an isolated endpoint that is away is asked for again: a release of somebody's may wait for its return.
        """
        device, now = self._devices.read(action.endpoint.agent_id)
        quarantined, evidence = device.get("quarantined"), _isolation(device)
        if quarantined is True and not receipt and _is_away(device, now):
            return Fact(sight=Sight.UNKNOWABLE, evidence=f"{evidence}; away, so that a release may be waiting for it")
        return Fact(sight=_sight(quarantined, wanted=True, is_ordered=_may_wait(device, receipt)), evidence=evidence)

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, receipt: Receipt | None) -> Fact:
        """By the device's `quarantined`. Before an order of ours, "not quarantined" may only mean "not yet"."""
        device, _ = self._devices.read(action.endpoint.agent_id)
        quarantined, evidence = device.get("quarantined"), _isolation(device)
        if quarantined is False and not receipt:
            return Fact(sight=Sight.UNKNOWABLE, evidence=f"{evidence}; an isolation may be on its way")
        return Fact(sight=_sight(quarantined, wanted=False, is_ordered=_may_wait(device, receipt)), evidence=evidence)

    @performs(BanHash, on=EVERYWHERE, remark="blocks where the policy denies banned applications")
    def ban_hash(self, action: BanHash, _: Fact) -> Receipt:
        """A reputation override of the whole organisation. What a second one does is not documented: it is looked for."""
        sha256 = _sha256(action)
        body = {
            "description": mark_of(action),
            "override_list": _BANNED,
            "override_type": "SHA256",
            "sha256_hash": sha256,
            "filename": "(unknown)",
        }
        answer = self._api.post(OVERRIDES, body, expects=frozenset({400, 409}))
        if answer.status in {400, 409}:
            if any(each.get("override_list") == _BANNED for each in self._overrides(sha256)):
                return Receipt(detail={"conflict": str(answer.status)})
            raise Denied(whole(f"override refused: {answer.status} {answer.body.get('message') or ''}"), code=str(answer.status))
        if not answer.body.get("id"):
            raise VendorFault(f"override: {answer.status} without an id")
        return made(str(answer.body["id"]))

    @observes(BanHash)
    def hash_banned(self, action: BanHash, _: Receipt | None) -> Fact:
        """By the stored overrides. An approval of the same hash is the customer's word, and not ours to overrule."""
        lists = {str(each.get("override_list")) for each in self._overrides(_sha256(action))}
        if _APPROVED in lists:
            return Fact(sight=Sight.MISMATCH, evidence="the organisation has approved this hash (WHITE_LIST): a person must decide")
        if _BANNED in lists:
            return Fact(sight=Sight.PRESENT, evidence="the organisation's BLACK_LIST has this hash")
        return Fact(sight=Sight.ABSENT, evidence="no override of this hash")

    @performs(UnbanHash, on=EVERYWHERE)
    def unban_hash(self, _: UnbanHash, seen: Fact) -> Receipt:
        """Delete every override that we made: a second one of the same hash may be a row of its own."""
        self._api.post(f"{OVERRIDES}/_delete", ids_in(seen))
        return Receipt(reference=seen.handle)

    @observes(UnbanHash)
    def hash_unbanned(self, action: UnbanHash, receipt: Receipt | None) -> Fact:
        """By the stored overrides."""
        banned = [each for each in self._overrides(_sha256(action)) if each.get("override_list") == _BANNED]
        return unbanned(action, banned, receipt, where="the organisation's BLACK_LIST", words="the override of {created_by}")

    def _overrides(self, sha256: str) -> list[dict[str, Any]]:
        """Those of exactly this hash: the query is a text search. No criteria: the documentation has lists there, and the SDK texts."""
        found = self._api.pages(f"{OVERRIDES}/_search", {"query": sha256})
        return [each for each in found if str(each.get("sha256_hash") or "").lower() == sha256]

    @performs(KillProcess, on=EVERYWHERE, means=Means.SHELL)
    def kill(self, action: KillProcess, seen: Fact) -> Receipt:
        """`kill` in Live Response, which takes nothing but a pid."""
        return self._act(action, seen, "kill", pid=action.process.pid)

    @performs(DeleteFile, on=EVERYWHERE, means=Means.SHELL)
    def delete_file(self, action: DeleteFile, seen: Fact) -> Receipt:
        """`delete file` in Live Response."""
        return self._act(action, seen, "delete file", path=action.file.path)

    @performs(DeleteRegistryKey, on=WINDOWS, means=Means.SHELL, remark="only a key without subkeys")
    def delete_registry_key(self, action: DeleteRegistryKey, seen: Fact) -> Receipt:
        """`reg delete key`, or `reg delete value`, in Live Response."""
        name = "reg delete value" if action.registry.value else "reg delete key"
        return self._act(action, seen, name, path=registry_path(action.registry))

    def _act(self, action: Action, seen: Fact, name: str, **arguments: str | int) -> Receipt:
        _permit(action)
        command_id = self._live.resumed(seen.handle).act(name, **arguments)
        return Receipt(reference=command_id, detail={"session": seen.handle})

    @observes(KillProcess)
    def killed(self, action: KillProcess, receipt: Receipt | None) -> Fact:
        """By the list of processes."""
        return self._seen(action, receipt, lambda session: process_fact(session, action.process))

    @observes(DeleteFile)
    def file_deleted(self, action: DeleteFile, receipt: Receipt | None) -> Fact:
        """By the file itself: absent, there with the content that is meant, or another file.

        Raises Unsupported for a path on a volume without a letter: Live Response does not tell which drive that is.
        """
        _permit(action)
        problem = names_no_drive(action.file.path, "Live Response") or unconfirmable(action.file)
        if problem:
            raise Unsupported(problem)
        return self._seen(action, receipt, lambda session: file_fact(session, action.file))

    @observes(DeleteRegistryKey)
    def key_deleted(self, action: DeleteRegistryKey, receipt: Receipt | None) -> Fact:
        """By the registry itself."""
        path = registry_path(action.registry)
        return self._seen(action, receipt, lambda session: registry_fact(session, path, is_value=bool(action.registry.value)))

    def _seen(self, action: Action, receipt: Receipt | None, look: Callable[[Session], Fact]) -> Fact:
        """What the endpoint shows once our command has ended. Whatever that reported, an effect that is there is there.

        A command whose receipt was lost needs no trace: the session does one after the other, so the look comes after it.
        """
        _permit(action)
        command = self._ordered(receipt)
        if command and not command.is_over:
            return Fact(sight=Sight.PENDING, evidence="the sensor has not carried it out yet")
        has_failed = command is not None and not command.is_complete
        try:
            fact = look(self._live.session(action.endpoints[0].agent_id))
        except Unreadable as error:
            if has_failed:
                return Fact(sight=Sight.LOCKED, evidence=str(error))
            raise
        if command and has_failed and fact.sight is Sight.ABSENT:
            is_locked = command.is_locked and action.verb == "delete_file"
            return Fact(sight=Sight.LOCKED if is_locked else Sight.REFUSED, evidence=command.said)
        return fact

    def _ordered(self, receipt: Receipt | None) -> Command | None:
        """The command of the receipt; None where there is none, or its session is gone and took it along."""
        if not receipt or not receipt.reference:
            return None
        return self._live.resumed(receipt.detail.get("session", "")).command(receipt.reference)


def _permit(action: Action) -> None:
    """Raise Denied, before any request, for a target that nobody may touch."""
    problem = target_problem(action)
    if problem:
        raise Denied(problem)


def _sha256(action: BanHash | UnbanHash) -> str:
    if not action.hash.sha256:
        raise Unsupported("Carbon Black Cloud bans sha256 only, and this IOC carries none")
    return action.hash.sha256


def _sight(quarantined: object, *, wanted: bool, is_ordered: bool) -> Sight:
    if not isinstance(quarantined, bool):
        return Sight.UNKNOWABLE
    if quarantined is wanted:
        return Sight.PRESENT
    return Sight.PENDING if is_ordered else Sight.ABSENT


def _isolation(device: dict[str, Any]) -> str:
    quarantined = device.get("quarantined")
    word = "no isolation state" if quarantined is None else "quarantined" if quarantined else "not quarantined"
    return f"Carbon Black Cloud shows {word}, last contact {device.get('last_contact_time') or 'unknown'}"


def _is_away(device: dict[str, Any], now: datetime | None) -> bool:
    """By the vendor's own clock; what cannot be told counts as away."""
    contact = _instant(device.get("last_contact_time"))
    return now is None or contact is None or now - contact > _AWAY


def _may_wait(device: dict[str, Any], receipt: Receipt | None) -> bool:
    """Whether an order of ours may still wait for the sensor: it has not reported since, by the vendor's clock, or that cannot be told."""
    contact, asked_at = _instant(device.get("last_contact_time")), _instant(receipt.detail.get("asked_at")) if receipt else None
    return receipt is not None and not (contact and asked_at and contact - asked_at > _BEHIND)


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
