"""What the demo shows: a line per threat while it is worked on, and the table of outcomes at the end."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ..domain.notifications import Kind
from ..domain.states import TERMINAL, State
from .output import COLOURS, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from ..domain.rows import Row, ThreatRecord
    from ..ports import Ledger
    from .output import Cell

_DONE = {State.DONE, State.ALREADY}
#: States in which nothing more happens by itself: a person must decide.
_RESTING = TERMINAL | {State.HELD}
_CONTAINMENT = {"isolate"}


class Scoreboard:
    """Reads the ledger, and holds it against `expected`: customer/threat -> {"verb subject": state}."""

    def __init__(self, ledger: Ledger, expected: dict[str, dict[str, str]]) -> None:
        self._ledger, self._expected = ledger, expected
        self._since = datetime.now(UTC) - timedelta(minutes=5)

    def _threats(self) -> list[tuple[ThreatRecord, list[Row]]]:
        records = [each for name in self._ledger.customers() for each in self._ledger.threats(name, since=self._since, limit=100)]
        return [(each, self._ledger.rows(each.customer, each.id)) for each in sorted(records, key=lambda each: each.id)]

    def is_settled(self, *, last: str) -> bool:
        """Whether every event is planned and every row rests; after the last file, whether all that is expected is there."""
        threats = self._threats()
        known = {(f"{record.customer}/{record.id}", f"{row.verb} {row.subject}") for record, rows in threats for row in rows}
        wanted = {(name, what) for name, rows in self._expected.items() for what in rows}
        rests = all(row.state in _RESTING for _, rows in threats for row in rows)
        planned = all(self._is_planned(record) for record, _ in threats)
        complete = wanted <= known if last.startswith("after") else True
        return bool(threats) and planned and rests and complete

    def _is_planned(self, record: ThreatRecord) -> bool:
        full = self._ledger.threat(record.customer, record.id)
        texts = Counter(entry.text.partition(":")[0] for entry in full.timeline if entry.row.startswith("event/")) if full else Counter()
        return texts["accepted"] == texts["planned"] + texts["failed"]

    def told_of(self) -> Iterator[tuple[str, str]]:
        """Customer and agent id of each endpoint of which the TREs were told that it is not contained, and that still is not."""
        for record, rows in self._threats():
            if any(row.subject.startswith(f"{Kind.NOT_CONTAINED} ") and row.state is State.DONE for row in rows):
                yield from ((record.customer, str(row.lane).partition("/")[2]) for row in rows if _is_open_isolation(row))

    def progress(self) -> Table:
        """A row per threat, a mark per action."""
        columns = ("Threat", "Customer", "Containment", "Actions", "Told")
        return table_of("threats", columns, (_line(record, rows) for record, rows in self._threats()))

    def result(self) -> Table:
        """The outcome of every threat."""
        columns = ("Threat", "Verified containment", "Done", "Skipped, and why", "Outstanding", "Told")
        return table_of("outcomes", columns, (_outcome(record, rows) for record, rows in self._threats()), is_ruled=True)

    def problems(self) -> list[str]:
        """Where an outcome is not the expected one, and what is there that nobody expected."""
        found = {f"{record.customer}/{record.id}": rows for record, rows in self._threats()}
        lines = [f"{name}: is not known" for name in self._expected if name not in found]
        for name, rows in found.items():
            states = {f"{row.verb} {row.subject}": row for row in rows}
            lines += _compared(name, states, self._expected.get(name, {}))
        return lines


def _is_open_isolation(row: Row) -> bool:
    return row.verb in _CONTAINMENT and row.state not in TERMINAL


def _compared(name: str, rows: dict[str, Any], expected: dict[str, str]) -> list[str]:
    lines = [f"{name}: {what}: {rows[what].state if what in rows else 'missing'}, expected {state}"
             for what, state in expected.items() if what not in rows or rows[what].state != state]  # fmt: skip
    return lines + [f"{name}: {what}: {row.state}, not expected" for what, row in rows.items() if what not in expected]


def containment(record: ThreatRecord, rows: list[Row]) -> str:
    """How long it took until the EDR showed the last isolation, or how far it is."""
    isolations = [row for row in rows if row.verb in _CONTAINMENT]
    shown = [row.settled_at for row in isolations if row.state in _DONE and row.settled_at]
    if shown and all(row.state in _RESTING for row in isolations):
        return f"{(max(shown) - record.accepted_at).total_seconds():.1f} s"
    return ", ".join(sorted({str(row.state) for row in isolations})) or "none"


def _line(record: ThreatRecord, rows: list[Row]) -> tuple[Cell, ...]:
    actions = [row for row in rows if row.kind == "action"]
    told = [row for row in rows if row.kind == "delivery"]
    return record.id, record.customer, containment(record, rows), _bar(actions), _bar(told)


def _outcome(record: ThreatRecord, rows: list[Row]) -> tuple[Cell, ...]:
    actions = [row for row in rows if row.kind == "action"]
    told = Counter(f"{row.verb}: {row.subject.partition(' to ')[2]}" for row in rows if row.kind == "delivery" and row.state in _DONE)
    return (
        f"{record.id}\n{record.customer}",
        containment(record, rows),
        "\n".join(f"{row.verb} {row.subject}" for row in actions if row.state in _DONE),
        "\n".join(f"{row.verb} {row.subject}: {row.reason}" for row in actions if row.state in {State.SKIPPED, State.CANCELLED}),
        "\n".join(_outstanding(row) for row in rows if row.state not in _DONE | {State.SKIPPED, State.CANCELLED}),
        "\n".join(f"{what} x{number}" if number > 1 else what for what, number in told.items()),
    )


def _outstanding(row: Row) -> str:
    return f"{row.verb} {row.subject}: {row.state}" + (f", {row.reason}" if row.reason else "")


def _bar(rows: list[Row]) -> Text:
    """One mark per row in the colour of its state, and how many rest."""
    bar = Text()
    for row in rows:
        mark = {State.FAILED: "x", State.HELD: "!", State.SKIPPED: "-", State.CANCELLED: "-"}.get(
            row.state, "#" if row.state in _DONE else "."
        )
        bar.append(mark, style=COLOURS.get(row.state, ""))
    bar.append(f" {sum(row.state in _RESTING for row in rows)}/{len(rows)}")
    return bar
