"""Red Canary's portal API v3: published detections, with their marked indicators and their endpoint.

The portal gives no order and wrong totals, so that every round reads all pages of the overlap, until one is empty or
comes again. What a detection is missing is asked for in two more requests each, of an allowance of 20 a minute: a page
gives as many detections as the allowance lets it, and the cursor knows which have been given.
Nothing is filtered by acknowledgement: a detection that somebody has seen is not contained by that. One that is marked as
remediated or not to be is read again, as long as the overlap shows it.
Unverified: the order of the list, and which of a detection's times `since` compares; hence the long overlap.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ..domain.endpoints import Vendor
from ..domain.errors import Denied, Throttled, VendorFault
from ..domain.hosts import at_vendor
from ..domain.limits import Limits, Rate
from ..http import Dialect, HttpSession
from ..ports import Page, Record
from .walk import instant, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "redcanary"
#: Re-reading costs one request per 50 detections, and the time that `since` compares is not known.
OVERLAP = timedelta(days=1)
ROOT = "/openapi/v3"
PAGE = 50
#: A list of indicators that is longer than this many pages does not end.
_MOST_PAGES = 40
#: Answers that an interrupted page has had are kept so long.
_KEPT_FOR = 600.0
_PORTAL = ".my.redcanary.co"
#: A detection that changed has another one of these, or is marked otherwise.
_REVISION = ("confirmed_at", "last_activity_seen_at")
_MARK = ("remediation_state", "reason", "marked_at")

Row = dict[str, Any]


def _portal(url: str) -> str:
    return at_vendor(url, lambda host: host.endswith(_PORTAL), f"must be https://NAME{_PORTAL}")


class Config(BaseModel):
    """One portal. The key is a user's, and sees what that user's roles see."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_portal)] = Field(description="The portal, `https://NAME.my.redcanary.co`.")
    api_key: SecretStr = Field(description="The key of a user, whose roles decide what it sees.")
    sensor_product: Vendor | None = Field(
        None, description="Whose sensors the portal shows, where it does not say so itself. Without it nothing can be acted on."
    )
    ca_file: Path | None = None
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0


def _explain(body: Any) -> tuple[str, str]:
    """JSON with `error.message`; HTML from a name that is no portal's."""
    if isinstance(body, str):
        return "", "a page instead of JSON: is the name in base_url that of the portal?" if body.lstrip().startswith("<") else body
    error = body.get("error") if isinstance(body, dict) else None
    return "", str(error.get("message") or "") if isinstance(error, dict) else str(error or "")


@dataclass(frozen=True)
class _Place:
    """Where a round stands. `done` are the detections of the overlap that were given, each with its revision."""

    newest: str
    page: int = 1
    #: Tells a page that comes again.
    last: str = ""
    done: Mapping[str, str] = field(default_factory=dict)
    #: Those of `done` that this round has met again.
    met: tuple[str, ...] = ()
    #: When polling began. A cursor of version 0.1.0 does not say: what is older than its newest was polled already.
    begun: str = ""


class RedCanary:
    """`ports.Feed` of one portal. History is not read: it begins when it is first asked."""

    name = NAME
    reader = NAME
    limits = Limits(
        rates=(Rate(calls=20, per=timedelta(minutes=1)),),
        counted_by="address",
        on_429="none that is documented; Retry-After is honoured where it comes",
        source="the portal's API page: at most 20 requests a minute sustained",
    )

    def __init__(self, config: Config, *, overlap: timedelta = OVERLAP, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._config, self._overlap, self._now = config, overlap, now
        self._http = HttpSession(
            config.base_url, Dialect(explain=_explain), ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
        )
        self._kept: dict[str, list[Any]] = {}
        self._kept_since = 0.0

    def page(self, cursor: str) -> Page:
        """The detections of one page that are new or changed, as many as the allowance gives; at least one, or it raises."""
        place = _Place(**json.loads(cursor)) if cursor else _Place(newest=self._now().isoformat())
        place = replace(place, begun=place.begun or place.newest)
        begun = datetime.fromisoformat(place.begun)
        since = datetime.fromisoformat(place.newest) - self._overlap
        rows = self._rows("/detections", since=iso(since), page=place.page, per_page=PAGE)
        checksum = hashlib.sha256(json.dumps([_id(row) for row in rows]).encode()).hexdigest()[:16]
        if not rows or checksum == place.last:
            self._kept.clear()
            return Page((), _dumped(self._next_round(place)), is_more=False, begun=begun)
        done, met, records = dict(place.done), dict.fromkeys(place.met), []
        for row in sorted(rows, key=_confirmed):
            name, revision = _id(row), _revision(row)
            if done.get(name) != revision:
                try:
                    records.append(Record(name, self._complete(row) if isinstance(row, dict) else row))
                except Throttled:
                    if not records:
                        raise
                    return Page(tuple(records), _dumped(replace(place, done=done, met=tuple(met))), is_more=False, begun=begun)
            done[name] = revision
            met[name] = None
        self._kept.clear()
        behind = replace(place, page=place.page + 1, last=checksum, done=done, met=tuple(met))
        return Page(tuple(records), _dumped(behind), is_more=True, begun=begun)

    def _next_round(self, place: _Place) -> _Place:
        """From the newest confirmation that was given; what this round did not meet has left the overlap."""
        done = {name: revision for name, revision in place.done.items() if name in set(place.met)}
        times = [at for revision in done.values() if (at := instant(revision.partition("|")[0])) and at <= self._now()]
        newest = max([datetime.fromisoformat(place.newest), *times])
        return _Place(newest=newest.isoformat(), done=done, begun=place.begun)

    def _complete(self, row: Row) -> Row:
        """The detection with its marked indicators and its endpoint, as the reader wants them."""
        return {**row, "marked_indicators_of_compromise": self._marked(_id(row)), "endpoints": self._endpoints(row)}

    def _marked(self, detection: str) -> list[Any]:
        found: list[Any] = []
        last: list[Any] = []
        for number in range(1, _MOST_PAGES + 1):
            rows = self._rows(f"/detections/{detection}/marked_indicators_of_compromise", page=number, per_page=PAGE)
            if rows == last:
                return found
            found, last = [*found, *rows], rows
            if len(rows) < PAGE:
                return found
        raise VendorFault(f"the indicators of detection {detection} do not end")

    def _endpoints(self, row: Row) -> list[Row]:
        """Without a relationship, or with an endpoint that is gone or of no known product, there is none to act on."""
        relationships = row.get("relationships")
        affected = relationships.get("affected_endpoint") if isinstance(relationships, dict) else None
        data = affected.get("data") if isinstance(affected, dict) else None
        number = str(data.get("id")) if isinstance(data, dict) else ""
        if not (number.isascii() and number.isdigit()):
            return []
        try:
            found = self._rows(f"/endpoints/{number}")
        except Denied as error:
            if error.code != "404":
                raise
            return []
        return [named for each in found if isinstance(each, dict) and (named := self._named(each))]

    def _named(self, endpoint: Row) -> Row | None:
        """The endpoint, with the product of its sensor."""
        attributes = endpoint.get("attributes")
        sensor = attributes.get("sensor") if isinstance(attributes, dict) else None
        if not isinstance(attributes, dict) or not isinstance(sensor, dict):
            return None
        facts = sensor.get("attributes")
        told = facts if isinstance(facts, dict) else {}
        product = sensor.get("product") or told.get("product") or told.get("sensor_product_cd") or self._config.sensor_product
        return {**endpoint, "attributes": {**attributes, "sensor": {**sensor, "product": product}}} if product else None

    def _rows(self, path: str, **query: Any) -> list[Any]:
        """What stands under `data`. An answer of this page is kept, so that a page that is interrupted asks nothing twice."""
        key = json.dumps([path, query])
        if time.monotonic() - self._kept_since > _KEPT_FOR:
            self._kept.clear()
        kept = self._kept.get(key)
        if kept is None:
            headers = {"X-Api-Key": self._config.api_key.get_secret_value(), "Accept": "application/json"}
            body = self._http.call("GET", ROOT + path, headers=headers, query=query).body
            rows = body.get("data") if isinstance(body, dict) else None
            if not isinstance(rows, list):
                raise VendorFault(f"GET {ROOT}{path}: no data in the reply")
            self._kept_since = self._kept_since if self._kept else time.monotonic()
            self._kept[key] = kept = rows
        return kept


def _dumped(place: _Place) -> str:
    return json.dumps(vars(place))


def _id(row: Any) -> str:
    return str(row.get("id") if isinstance(row, dict) else "no object")[:100]


def _attributes(row: Any) -> Row:
    found = row.get("attributes") if isinstance(row, dict) else None
    return found if isinstance(found, dict) else {}


def _revision(row: Any) -> str:
    attributes = _attributes(row)
    mark = attributes.get("last_remediated_status")
    marked = [str(mark.get(name)) for name in _MARK] if isinstance(mark, dict) else []
    return "|".join([*(str(attributes.get(name)) for name in _REVISION), *marked])


def _confirmed(row: Any) -> str:
    return str(_attributes(row).get("confirmed_at"))
