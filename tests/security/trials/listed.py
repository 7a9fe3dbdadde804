"""Every trial, in the order of its goal; a goal may have several."""

from __future__ import annotations

from tests.security.trials import addresses, doorbells, never, quoting, rows, switches, tenants
from tests.security.trials.outcome import Trial

TRIALS: tuple[Trial, ...] = (
    Trial("S1", "messages to a worker: replayed, mutated, task or queue swapped, ids made up", 150, 10_000, doorbells.trial),
    Trial("S2", "rows and events of the ledger: changed, moved, aged, sealed by strangers", 400, 30_000, rows.trial),
    Trial("S3", "texts that a shell may read something into, in every command of every vendor", 1_000, 200_000, quoting.trial),
    Trial("S4", "orders for what is listed as never touched, or as well known, in many spellings", 200, 20_000, never.trial),
    Trial("S6", "kill switches, closed or spoiled while four workers are busy", 3, 36, switches.trial),
    Trial("S8", "requests to the EDRs of three customers, whose files and secrets change, break and go", 300, 30_000, tenants.trial),
    Trial("S9", "addresses that are not public, in disguise, behind names that move and redirects", 800, 50_000, addresses.trial),
)
