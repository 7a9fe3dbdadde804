"""Devices of an organisation, and the groups that they are in: asset groups, or policies where there are no others."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...domain.endpoints import OS, Endpoint, Role, Vendor
from ...domain.errors import Denied, EndpointNotFound, VendorFault
from .api import PAGE, every

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .api import Answer, CloudAPI

DEVICES = "/appservices/v6/orgs/{org}/devices"
GROUPS = "/asset_groups/v1/orgs/{org}/groups"
POLICIES = "/policyservice/v1/orgs/{org}/policies/summary"

_PLATFORMS = {"WINDOWS": OS.WINDOWS, "MAC": OS.MACOS, "LINUX": OS.LINUX}
#: Registrations that no sensor answers to any more; a reinstalled endpoint has another id.
_LEFT = frozenset({"DEREGISTERED", "UNINSTALLED", "DELETED"})
_NUMBER = re.compile(r"^[1-9][0-9]{0,17}$", re.ASCII)


def number_of(agent_id: str) -> int:
    """The vendor's id behind our `agent_id`. Raises EndpointNotFound for what cannot be one."""
    if not _NUMBER.match(agent_id):
        raise EndpointNotFound(f"{agent_id} is no device id of Carbon Black Cloud: a number is needed")
    return int(agent_id)


class Devices:
    """Reads only. Nothing is found by its name: the search box matches parts of names, and old registrations."""

    def __init__(self, api: CloudAPI, *, by_policy: bool) -> None:
        self._api, self._by_policy = api, by_policy

    def read(self, agent_id: str) -> tuple[dict[str, Any], datetime | None]:
        """The device, and the vendor's time of the answer. Raises EndpointNotFound, also for a registration that was left."""
        answer = self._api.get(f"{DEVICES}/{number_of(agent_id)}", expects=frozenset({404}))
        if answer.status == 404:  # noqa: PLR2004
            raise EndpointNotFound(f"Carbon Black Cloud knows no device {agent_id}")
        if str(answer.body.get("id")) != agent_id:
            raise VendorFault(f"Carbon Black Cloud answered with another device than {agent_id}")
        if answer.body.get("status") in _LEFT:
            raise EndpointNotFound(f"device {agent_id} is {answer.body['status']}: this registration has no sensor any more")
        return dict(answer.body), answer.at

    def endpoint(self, device: dict[str, Any]) -> Endpoint:
        """A name of the form DOMAIN, backslash, host is cut to the host: what people know it by."""
        agent_id = str(device["id"])
        return Endpoint(
            edr=Vendor.CARBON_BLACK_CLOUD,
            agent_id=agent_id,
            hostname=str(device.get("name") or agent_id).rsplit("\\", 1)[-1] or agent_id,
            os=_PLATFORMS.get(str(device.get("os")), OS.UNKNOWN),
            groups=frozenset(self._group_names(device)),
            role=Role.SERVER if "server" in str(device.get("os_version")).casefold() else None,
        )

    def _group_names(self, device: dict[str, Any]) -> Iterator[str]:
        if self._by_policy:
            yield from [str(device["policy_name"])] if device.get("policy_name") else []
            return
        groups = device.get("asset_group")
        yield from (str(each["name"]) for each in groups or [] if isinstance(each, dict) and each.get("name"))

    def members(self, group: str) -> Iterator[Endpoint]:
        """The enrolled endpoints of the asset group, or policy, of exactly this name."""
        if self._by_policy:
            ids = [each["id"] for each in self._api.get(POLICIES).rows("policies") if each.get("name") == group]
        else:
            found = self._api.pages(f"{GROUPS}/_search", {"criteria": {"name": [group]}})
            ids = [each["id"] for each in found if each.get("name") == group]
        if not ids:
            raise Denied(f"Carbon Black Cloud has no {'policy' if self._by_policy else 'asset group'} named {group!r}")
        told = set()
        for each in ids:
            for device in self._scroll({"policy_id": [each]}) if self._by_policy else self._members(str(each)):
                if device.get("status") not in _LEFT and device["id"] not in told:
                    told.add(device["id"])
                    yield self.endpoint(device)

    def _members(self, group_id: str) -> Iterator[dict[str, Any]]:
        """A group tells ids only. One that the search leaves out is asked for alone: it may be gone, or may not."""
        path = f"{GROUPS}/{group_id}/members"
        listed = every(path, lambda seen, _: self._api.get(path, rows=PAGE, start=seen), name="members")
        ids = [str(each["external_member_id"]) for each in listed]
        for start in range(0, len(ids), PAGE):
            wanted = ids[start : start + PAGE]
            found = {str(each["id"]): each for each in self._scroll({"id": [int(each) for each in wanted]})}
            yield from found.values()
            for missing in wanted:
                if missing not in found:
                    with contextlib.suppress(EndpointNotFound):
                        yield self.read(missing)[0]

    def _scroll(self, criteria: dict[str, Sequence[object]]) -> Iterator[dict[str, Any]]:
        """Every device of a search. `_search` would end at 10,000 rows."""
        path = f"{DEVICES}/_scroll"

        def ask(_: int, last: Answer | None) -> Answer:
            after = {"search_after": last.body.get("search_after")} if last else {}
            return self._api.post(path, {"criteria": criteria, "rows": PAGE, **after})

        return every(path, ask)
