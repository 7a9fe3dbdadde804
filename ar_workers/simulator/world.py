"""The pretend fleet: tenants, their endpoints, groups, credentials and alerts, as one JSON document."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .clock import VirtualClock, iso
from .documents import fields_of
from .endpoints import STATUSES, Endpoint, hash_of

Document = dict[str, Any]


@dataclass
class Group:
    id: str
    name: str
    group_type: str = "static"
    description: str = ""


@dataclass
class Credential:
    """An API client. `members` are the cids of child tenants it may also ask tokens for."""

    client_id: str
    client_secret: str
    scopes: list[str] = field(default_factory=lambda: ["*"])
    members: list[str] = field(default_factory=list)

    def allows(self, scope: str) -> bool:
        return scope == "" or "*" in self.scopes or scope in self.scopes


class Tenant:
    """One customer at one vendor. Hold `lock` while reading or changing anything of it."""

    def __init__(self, name: str, document: Mapping[str, Any]) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.vendor = str(document.get("vendor", "crowdstrike"))
        self.cid = str(document.get("cid") or hash_of("md5", f"cid/{name}"))
        self.cloud = str(document.get("cloud", ""))
        self.credentials = [Credential(**one) for one in document.get("credentials", [])]
        self.groups = {one["id"]: Group(**one) for one in document.get("groups", [])}
        self.endpoints: dict[str, Endpoint] = {}
        for one in document.get("endpoints", []):
            self.add_endpoint(Endpoint.from_dict(one))
        self.iocs: dict[str, Document] = {one["id"]: dict(one) for one in document.get("iocs", [])}
        self.quarantined: dict[str, Document] = {one["id"]: dict(one) for one in document.get("quarantined", [])}
        self.alerts: list[Document] = [dict(one) for one in document.get("alerts", [])]
        #: Whatever else a vendor's twin keeps of a tenant.
        self.facts: Document = dict(document.get("facts", {}))
        self.on_return: list[Callable[[Endpoint], None]] = []

    def add_endpoint(self, endpoint: Endpoint) -> Endpoint:
        with self.lock:
            self.endpoints[endpoint.agent_id] = endpoint
        return endpoint

    def add_alert(self, alert: Mapping[str, Any]) -> Document:
        """Publish an alert; one with an old `created_timestamp` is an alert that arrives late."""
        with self.lock:
            self.alerts.append(dict(alert))
        return self.alerts[-1]

    def settled(self, now: float) -> list[Endpoint]:
        """The endpoints still enrolled, with every due check-in applied."""
        for endpoint in self.endpoints.values():
            endpoint.settle(now)
        return [one for one in self.endpoints.values() if not one.decommissioned]

    def endpoint(self, agent_id: str, now: float) -> Endpoint | None:
        endpoint = self.endpoints.get(agent_id)
        if endpoint is None or endpoint.decommissioned:
            return None
        endpoint.settle(now)
        return endpoint

    def to_dict(self) -> Document:
        with self.lock:
            return {
                "vendor": self.vendor,
                "cid": self.cid,
                "cloud": self.cloud,
                "credentials": [asdict(one) for one in self.credentials],
                "groups": [asdict(one) for one in self.groups.values()],
                "endpoints": [one.to_dict() for one in self.endpoints.values()],
                "iocs": list(self.iocs.values()),
                "quarantined": list(self.quarantined.values()),
                "alerts": list(self.alerts),
                "facts": dict(self.facts),
            }


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a human or fate does to an endpoint at run time; None leaves a thing as it is."""

    online: bool | None = None
    groups: list[str] | None = None
    status: str | None = None
    decommissioned: bool | None = None
    check_in_delay: float | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Change:
        return cls(**fields_of(cls, document, "cannot change"))


class World:
    """Everything that the twins pretend exists. `options` and `inboxes` are theirs to interpret.

    In a `strict` world all twins refuse what their vendors' documentation does not name; a twin's own option outweighs it.
    """

    def __init__(
        self,
        tenants: Iterable[Tenant] = (),
        *,
        options: Mapping[str, Document] | None = None,
        inboxes: Mapping[str, Document] | None = None,
        strict: bool = False,
    ) -> None:
        self.tenants = {one.name: one for one in tenants}
        self.options: dict[str, Document] = dict(options or {})
        self.inboxes: dict[str, Document] = dict(inboxes or {})
        self.strict = strict
        self.clock = VirtualClock()

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> World:
        if unknown := set(document) - {"tenants", "options", "inboxes", "strict"}:
            raise ValueError(f"unknown world fields: {', '.join(sorted(unknown))}")
        tenants = [Tenant(name, one) for name, one in document.get("tenants", {}).items()]
        strict = bool(document.get("strict", False))
        return cls(tenants, options=document.get("options"), inboxes=document.get("inboxes"), strict=strict)

    @classmethod
    def from_file(cls, path: Path) -> World:
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))

    def to_dict(self) -> Document:
        tenants = {name: one.to_dict() for name, one in self.tenants.items()}
        return {"tenants": tenants, "options": self.options, "inboxes": self.inboxes, "strict": self.strict}

    def tenant(self, name: str) -> Tenant:
        return self.tenants[name]

    def of_vendor(self, vendor: str) -> list[Tenant]:
        return [one for one in self.tenants.values() if one.vendor == vendor]

    def holder(self, vendor: str, fits: Callable[[Credential], bool]) -> tuple[Tenant, Credential] | None:
        """The first credential of the vendor's tenants that fits, behind the tenant whose it is."""
        return next(((tenant, one) for tenant in self.of_vendor(vendor) for one in tenant.credentials if fits(one)), None)

    def endpoint(self, tenant: str, agent_id: str) -> Endpoint:
        """The endpoint as it is now, decommissioned or not; raises KeyError."""
        home = self.tenants[tenant]
        with home.lock:
            endpoint = home.endpoints[agent_id]
            endpoint.settle(self.clock.now())
            return endpoint

    def change(self, tenant: str, agent_id: str, **changes: Any) -> Endpoint:
        """Let something happen to an endpoint behind the API's back; the fields are Change's."""
        return self.apply(tenant, agent_id, Change(**changes))

    def apply(self, tenant: str, agent_id: str, change: Change) -> Endpoint:
        if change.status is not None and change.status not in STATUSES:
            raise ValueError(f"unknown status {change.status!r}")
        home = self.tenants[tenant]
        with home.lock:
            endpoint = self.endpoint(tenant, agent_id)
            if change.status is not None:
                endpoint.status, endpoint.settles_at = change.status, None
            for name in ("groups", "decommissioned", "check_in_delay"):
                if getattr(change, name) is not None:
                    setattr(endpoint, name, getattr(change, name))
            if change.online is not None:
                self._switch(home, endpoint, online=change.online)
            return endpoint

    def _switch(self, home: Tenant, endpoint: Endpoint, *, online: bool) -> None:
        now = self.clock.now()
        if endpoint.online and not online:
            endpoint.go_offline(seen=iso(now))
        elif online and not endpoint.online:
            endpoint.come_back(now=now)
            for listener in home.on_return:
                listener(endpoint)
