"""Toy: an alert as a published threat, of which people are told. It gives no verdict on anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import OS, Vendor
from ..domain.indicators import HashType
from ..domain.threats import Severity
from .alerts import Alert, Ending, alert_id, endpoint, published
from .evidence import Evidence
from .reading import Fields, Grade, ended

if TYPE_CHECKING:
    from ..domain.events import Event


def read(record: object, *, customer: str | None) -> Event:
    """The alert as ThreatPublished, or as ThreatClosed if it is over. Raises InvalidEvent."""
    alert = Fields.of(record)
    where = endpoint(Vendor.TOY, alert, "endpoint", hostname=alert.raw("name"), os=OS.WINDOWS)
    evidence = Evidence(where)
    evidence.image({HashType.SHA256: alert.raw("sha256")}, malicious=False)
    return published(
        Alert(
            vendor=Vendor.TOY,
            id=alert_id(alert, "id"),
            occurred_at=alert.moment("created"),
            severity=Grade(Severity.HIGH),
            classification="Alert",
            title=alert.shown("title", default="Toy alert"),
            url="https://console.toy.example/",
            summary=(),
            endpoint=where,
            evidence=evidence,
            ending=Ending(ended([alert.raw("verdict")], {"benign"})),
        ),
        customer,
    )
