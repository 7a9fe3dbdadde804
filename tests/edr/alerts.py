"""Alerts as each vendor's twin keeps them: when they came, when they changed, and a revision that only tests know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import InvalidEvent
from tests.builders import a_threat, a_threat_published

from .rigs.sentinelone import ACCOUNT


def ago(seconds):
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=seconds)


def _iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ms(at):
    return int(at.timestamp() * 1000)


def _threat(number, came, changed):
    info = {"createdAt": _iso(came), "updatedAt": _iso(changed)}
    return {"id": str(10**18 + number), "threatInfo": info, "agentRealtimeInfo": {"accountId": ACCOUNT}}


SHAPES = {
    Vendor.CROWDSTRIKE: lambda number, came, changed: {
        "composite_id": f"cid:ind:{number}",
        "created_timestamp": _iso(came),
        "updated_timestamp": _iso(changed),
    },
    Vendor.DEFENDER: lambda number, came, changed: {
        "id": f"da{number}",
        "alertCreationTime": _iso(came),
        "lastUpdateTime": _iso(changed).replace("Z", "7Z"),
    },
    Vendor.SENTINELONE: _threat,
    Vendor.CARBON_BLACK_CLOUD: lambda number, came, changed: {
        "id": f"a{number}",
        "type": "CB_ANALYTICS",
        "severity": 7,
        "backend_timestamp": _iso(came),
        "backend_update_timestamp": _iso(changed),
    },
    Vendor.CARBON_BLACK_EDR: lambda number, came, changed: {"unique_id": f"a-{number}", "created_time": _iso(came)},
    Vendor.CORTEX_XDR: lambda number, came, changed: {
        "alert_id": str(number),
        "detection_timestamp": _ms(came) - 86_400_000,
        "local_insert_ts": _ms(came),
        "last_modified_ts": _ms(changed),
        "severity": "high",
        "events": [],
    },
}


@dataclass
class Alerts:
    """The alerts of one tenant at its twin."""

    vendor: Vendor
    tenant: object

    def publish(self, number, *, seconds_ago=300):
        at = ago(seconds_ago)
        return self.tenant.add_alert(self._row(number, at, at, revision=1))

    def update(self, row, *, seconds_ago=0):
        """What was published changes, and says so where the vendor's alerts can."""
        came = ago(300)
        changed = self._row(row["number"], came, ago(seconds_ago), revision=row["revision"] + 1)
        with self.tenant.lock:
            row.update(changed)

    def _row(self, number, came, changed, revision):
        return {**SHAPES[self.vendor](number, came, changed), "number": number, "revision": revision}


def read(record, *, customer):
    """A reader of the test alerts: the number is the threat's, number and revision are the event's."""
    if not isinstance(record.get("number"), int):
        raise InvalidEvent("number", "is no number")
    name = f"{record['number']}-{record['revision']}"
    return a_threat_published(id=f"alert-{name}", customer=customer, threat=a_threat(id=f"T-{record['number']}"))
