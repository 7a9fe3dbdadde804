"""What anybody may read: customers, threats and rows as values, nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.rows import Row, ThreatRecord

if TYPE_CHECKING:
    from datetime import datetime

    from .kept import KeptRow
    from .store import Store


class Reading:
    """See `ports.Ledger`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def outstanding(self, customer: str) -> int:
        return sum(name.startswith(f"{customer}:") for name in self._store.due)

    def customers(self) -> list[str]:
        return sorted({customer for customer, _ in self._store.threats} | {name for name in self._store.paused if name})

    def threats(self, customer: str, since: datetime, limit: int) -> list[ThreatRecord]:
        mine = [(d.accepted_at, name) for (owner, name), d in self._store.threats.items() if owner == customer]
        newest = sorted(((at, name) for at, name in mine if at >= since), reverse=True)[:limit]
        return [self._record(customer, name, with_timeline=False) for _, name in newest]

    def threat(self, customer: str, threat_id: str) -> ThreatRecord | None:
        known = (customer, threat_id) in self._store.threats
        return self._record(customer, threat_id, with_timeline=True) if known else None

    def _record(self, customer: str, name: str, *, with_timeline: bool) -> ThreatRecord:
        dossier = self._store.threats[customer, name]
        return ThreatRecord(
            customer=customer,
            id=name,
            threat=dossier.threat,
            accepted_at=dossier.accepted_at,
            closed=dossier.closed,
            timeline=tuple(dossier.timeline) if with_timeline else (),
        )

    def rows(self, customer: str, threat_id: str) -> list[Row]:
        dossier = self._store.threats.get((customer, threat_id))
        return [_shown(self._store.rows[name]) for name in dossier.rows] if dossier else []

    def row(self, row_id: str) -> Row | None:
        found = self._store.rows.get(row_id)
        return _shown(found) if found else None


def _shown(row: KeptRow) -> Row:
    wish = row.wish
    return Row(
        id=row.id,
        customer=row.customer,
        threat_id=row.threat,
        kind=wish.kind,
        verb=wish.verb,
        edr=wish.edr,
        subject=wish.subject,
        label=wish.label,
        queue=wish.queue,
        state=row.state,
        reason=row.reason,
        evidence=row.evidence,
        reference=row.reference,
        lane=wish.lane,
        attempts=row.attempts,
        generation=row.generation,
        created_at=row.created_at,
        begun_at=row.begun_at,
        performed_at=row.performed_at,
        settled_at=row.settled_at,
        next_attempt_at=row.next_at,
        deadline=row.deadline,
    )
