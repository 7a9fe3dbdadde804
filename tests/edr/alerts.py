"""Alerts as each vendor's twin keeps them: when they came, when they changed, and a revision that only tests know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import InvalidEvent
from tests.builders import a_threat, a_threat_published

from .rigs import KITS


def ago(seconds):
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=seconds)


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
        return {**KITS[self.vendor].alert(number, came, changed), "number": number, "revision": revision}


def read(record, *, customer):
    """A reader of the test alerts: the number is the threat's, number and revision are the event's."""
    if not isinstance(record.get("number"), int):
        raise InvalidEvent("number", "is no number")
    name = f"{record['number']}-{record['revision']}"
    return a_threat_published(id=f"alert-{name}", customer=customer, threat=a_threat(id=f"T-{record['number']}"))
