"""Deliveries to one receiver, counted in a window: beyond the limit one is sent for all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...domain.notifications import load_delivery
from ...domain.rows import Seat
from .kept import Window

if TYPE_CHECKING:
    from datetime import datetime

    from ...domain.notifications import Delivery, Digest
    from .kept import KeptRow
    from .store import Store


class Digests:
    """A row keeps the seat that it was given first; the empty carrier means that it is sent alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def seat(self, row_id: str, counted: str, digest: Digest) -> Seat | None:
        """See `ports.Ledger`."""
        row, now = self._store.rows[row_id], self._store.now()
        if row.seat is None:
            row.seat = self._seated(row, counted, digest)
        carrier, ends = row.seat
        return Seat(carrier=carrier, wait=max(timedelta(), ends - now)) if carrier else None

    def _seated(self, row: KeptRow, counted: str, digest: Digest) -> tuple[str, datetime]:
        key, now = (row.customer, counted), self._store.now()
        window = self._store.windows.get(key)
        if window is None or window.ends <= now:
            window = self._store.windows[key] = Window(now + digest.within)
        window.count += 1
        if window.count <= digest.more_than:
            return "", now
        window.carrier = window.carrier or row.id
        self._store.rows[window.carrier].gathered.append(row.id)
        return window.carrier, window.ends

    def gathered(self, row_id: str) -> list[Delivery]:
        """See `ports.Ledger`."""
        rows = self._store.rows
        return [load_delivery(rows[name].wish.order) for name in rows[row_id].gathered]
