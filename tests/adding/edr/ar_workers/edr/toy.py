"""Toy: an EDR that isolates and releases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ..domain.actions import IsolateEndpoint, ReleaseEndpoint
from ..domain.endpoints import Endpoint, Vendor
from ..domain.errors import Denied, EndpointNotFound
from ..domain.facts import Fact, Receipt, Sight
from ..domain.hosts import at_vendor
from ..domain.limits import Limits, Rate
from ..feeds.walk import Listing, Walk, Walks, instant, iso
from ..http import Dialect, HttpSession
from .base import EVERYWHERE, EDRAdapter, Entry, observes, performs
from .probes import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


def _toys(url: str) -> str:
    return at_vendor(url, lambda host: host.endswith(".toy.example"), "must be https://NAME.toy.example")


class Config(BaseModel):
    """One tenant's token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_toys)] = Field(description="The tenant's address.")
    token: SecretStr = Field(description="The API's token.")
    #: Seconds; lower only in tests.
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0


class _API:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = HttpSession(config.base_url, Dialect(explain=_explain), read=config.read_timeout)

    def call(self, method: str, path: str, **query: Any) -> Any:
        headers = {"X-Token": self._config.token.get_secret_value()}
        return self._http.call(method, path, headers=headers, query=query, body={} if method == "POST" else None).body


def _explain(body: Any) -> tuple[str, str]:
    return "", str(body.get("error") or "") if isinstance(body, dict) else ""


class Toy(EDRAdapter):
    """One tenant."""

    vendor = Vendor.TOY
    hash_types = ()
    limits = Limits(rates=(Rate(calls=600, per=timedelta(minutes=1)),), on_429="Retry-After: seconds", source="a toy")
    grant = "in the toy box, allow it"

    def __init__(self, config: Config) -> None:
        self._api = _API(config)

    def endpoint(self, agent_id: str) -> Endpoint:
        """The endpoint as it shows now. Raises EndpointNotFound."""
        return self._endpoint(self._row(agent_id))

    def members(self, group: str) -> Iterator[Endpoint]:
        """The endpoints of a group of exactly this name."""
        if group not in self._api.call("GET", "/groups"):
            raise Denied(f"Toy has no group named {group!r}")
        yield from map(self._endpoint, self._api.call("GET", "/endpoints", group=group))

    def sign_in(self) -> object:
        """A look at the groups."""
        return self._api.call("GET", "/groups")

    def probes(self) -> Iterator[Probe]:
        """A read, and what only acting would show."""
        yield Probe("See endpoints", "every action", lambda: self._api.call("GET", "/groups"))
        yield Probe("Isolate endpoints", "isolate and release")

    @performs(IsolateEndpoint, on=EVERYWHERE)
    def isolate(self, action: IsolateEndpoint, _: Fact) -> Receipt:
        """The order is not yet an isolation."""
        self._api.call("POST", f"/endpoints/{action.endpoint.agent_id}/isolate")
        return Receipt(reference=action.endpoint.agent_id)

    @performs(ReleaseEndpoint, on=EVERYWHERE)
    def release(self, action: ReleaseEndpoint, _: Fact) -> Receipt:
        """Lift it."""
        self._api.call("POST", f"/endpoints/{action.endpoint.agent_id}/release")
        return Receipt(reference=action.endpoint.agent_id)

    @observes(IsolateEndpoint)
    def isolated(self, action: IsolateEndpoint, _: Receipt | None) -> Fact:
        """By the endpoint's status."""
        return self._status(action.endpoint.agent_id, wanted="contained", coming="containment_pending")

    @observes(ReleaseEndpoint)
    def released(self, action: ReleaseEndpoint, _: Receipt | None) -> Fact:
        """By the endpoint's status."""
        return self._status(action.endpoint.agent_id, wanted="normal", coming="lift_containment_pending")

    def _status(self, agent_id: str, *, wanted: str, coming: str) -> Fact:
        status = self._row(agent_id)["status"]
        sight = {wanted: Sight.PRESENT, coming: Sight.PENDING}.get(status, Sight.ABSENT)
        return Fact(sight=sight, evidence=f"Toy shows status {status}")

    def _row(self, agent_id: str) -> dict[str, Any]:
        rows = self._api.call("GET", "/endpoints", id=agent_id)
        if not rows:
            raise EndpointNotFound(f"Toy knows no endpoint {agent_id}")
        return dict(rows[0])

    @staticmethod
    def _endpoint(row: dict[str, Any]) -> Endpoint:
        return Endpoint(edr=Vendor.TOY, agent_id=row["id"], hostname=row["name"], os=row["os"], groups=frozenset(row["groups"]))


def feed(config: Config, *, overlap: timedelta, page: int = 100) -> Walks:
    """The tenant's alerts."""
    api = _API(config)

    def ask(since: datetime, token: str) -> Listing:
        body = api.call("GET", "/alerts", since=iso(since), token=token, size=page)
        return Listing(body["rows"], body["more"])

    walk = Walk("changed", ask, lambda row: row.get("id"), lambda row: instant(row.get("changed")))
    return Walks(Toy.vendor, Toy.limits, (walk,), overlap)


ENTRY = Entry(Config, Toy, feed)
