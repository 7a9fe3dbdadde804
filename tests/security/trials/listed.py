"""Every trial, in the order of its goal; a goal may have several."""

from __future__ import annotations

from tests.security.trials import doorbells, rows
from tests.security.trials.outcome import Trial

TRIALS: tuple[Trial, ...] = (
    Trial("S1", "messages to a worker: replayed, mutated, task or queue swapped, ids made up", 150, 10_000, doorbells.trial),
    Trial("S2", "rows and events of the ledger: changed, moved, aged, sealed by strangers", 400, 30_000, rows.trial),
)
