"""What became of a threat, drawn up from the ledger: for the customer's mail, and for whoever asks at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.summaries import summarise

if TYPE_CHECKING:
    from ..domain.summaries import Summary
    from ..domain.threats import Threat
    from ..ports import Ledger


def summary_of(ledger: Ledger, customer: str, threat: Threat, name: str) -> Summary:
    """The threat's rows, and of its endpoints what the EDR last showed. `name` is the ledger's: that of a dry run is another."""
    record, rows = ledger.threat(customer, name), ledger.rows(customer, name)
    lanes = list(dict.fromkeys(row.lane for row in rows if row.lane))
    return summarise(rows, threat, record.accepted_at if record else None, ledger.containments(customer, lanes))
