"""Every trial, in the order of its goal; a goal may have several."""

from __future__ import annotations

from tests.security.trials import addresses, approvals, canaries, chains, doorbells, never, parsers, quoting, rows, switches, tenants
from tests.security.trials.outcome import Trial

#: Goal, what is tried, how many in short and in full, and what tries it.
TRIALS: tuple[Trial, ...] = (
    Trial("S1", "messages to a worker: replayed, mutated, task or queue swapped, ids made up", 150, 10_000, doorbells.trial),
    Trial("S2", "rows and events of the ledger: changed, moved, aged, sealed by strangers", 300, 10_000, rows.trial),
    Trial("S3", "texts that a shell may read something into, in every command of every vendor", 1_000, 100_000, quoting.trial),
    Trial("S4", "orders for what is listed as never touched, or as well known, in many spellings", 200, 16_000, never.trial),
    Trial("S6", "kill switches, closed or spoiled while four workers are busy", 2, 24, switches.trial),
    Trial("S7", "approvals of what two people must want: by who asked, replayed, of long ago, altered", 150, 10_000, approvals.trial),
    Trial("S8", "requests to the EDRs of three customers, whose files and secrets change, break and go", 200, 10_000, tenants.trial),
    Trial("S9", "addresses that are not public, in disguise, behind names that move and redirects", 600, 20_000, addresses.trial),
    Trial(
        "S10", "calls and messages whose answers repeat what was sent, held against all that is told and kept", 100, 2_000, canaries.trial
    ),
    Trial("S11", "the file of a record's chain: flipped, cut, swapped, told anew by a stranger", 60, 10_000, chains.trial),
    Trial("S12", "records, lines, settings, and the answers of vendors and providers, spoiled", 300, 20_000, parsers.trial),
)
