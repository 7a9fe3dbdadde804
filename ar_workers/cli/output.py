"""How commands answer: a table or lines for people, one JSON document for programs.

What is shown may be a stranger's: a file's name, a threat's title, a vendor's words. So this is the only place that writes to
the terminal. Nothing shown is read as markup or emoji code, and no character of it can steer the terminal. JSON is exact.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..domain.text import cleaned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..domain.model import Value

Cell = str | Text
T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")

#: Columns of a table that is piped: more than any row has, each of which is one line.
WIDEST = 10**9
#: Colour only repeats what the word says.
COLOURS = {
    "done": "green",
    "already": "green",
    "skipped": "bright_black",
    "would": "magenta",
    "cancelled": "bright_black",
    "failed": "bold red",
    "held": "yellow",
    "unknown": "bold yellow",
    "performed": "cyan",
    "leased": "blue",
}


def printable(text: str) -> str:
    """`text` with its lines, and without anything else that a terminal would obey."""
    return "\n".join(map(cleaned, text.replace("\r\n", "\n").split("\n")))


def say(line: str, *, err: bool = False) -> None:
    """One line, whatever stranger's words are in it."""
    click.echo(cleaned(line), err=err)


def say_all(text: str, *, err: bool = False, nl: bool = True) -> None:
    """A text of several lines."""
    click.echo(printable(text), err=err, nl=nl)


def shown(text: str, style: str = "") -> Text:
    """Words for a table, a panel or its title: as they are, in a style that is ours."""
    return Text(printable(text), style=style)


def coloured(state: str) -> Text:
    """A state's name in its colour."""
    return shown(state, COLOURS.get(state, ""))


def console(width: int | None = None) -> Console:
    """The console. A plain string that is printed on it is ours; a stranger's is `shown`."""
    return Console(width=width, markup=False, emoji=False, highlight=False)


def print_json(values: Sequence[Value] | dict[str, Any]) -> None:
    """A list of values, or a dict of JSON's own types."""
    plain = values if isinstance(values, dict) else [value.model_dump(mode="json") for value in values]
    click.echo(json.dumps(plain, indent=2, default=str))


def print_json_list(documents: Sequence[dict[str, Any]]) -> None:
    """A list of objects, each of JSON's own types."""
    click.echo(json.dumps(documents, indent=2, default=str))


def print_json_line(value: Value | dict[str, Any]) -> None:
    """One object on one line, where there is one per record."""
    plain = value if isinstance(value, dict) else value.model_dump(mode="json")
    click.echo(json.dumps(plain))


def table_of(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, is_ruled: bool = False, prose: str | None = None
) -> Table:
    """The rows as a table. With `prose` that column alone is wrapped."""
    table = Table(title=shown(title) if title else None, title_justify="left", header_style="bold", show_lines=is_ruled)
    for column in columns:
        table.add_column(shown(column), overflow="fold", no_wrap=prose is not None and column != prose)
    for row in rows:
        table.add_row(*(shown(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, prose: str = "") -> None:
    """A table where the terminal has room for it, and else what stands in it line by line; piped, one line per row.

    Nothing is cut, and only words in the column `prose` are wrapped: an id or a path that is broken cannot be pasted back.
    """
    made, lines = console(), list(rows)
    if not made.is_terminal:
        console(WIDEST).print(table_of(title, columns, ([_flat(cell) for cell in row] for row in lines)))
    elif _narrowest(columns, lines, prose) <= made.width:
        made.print(table_of(title, columns, lines, prose=prose))
    else:
        _print_records(made, title, columns, lines)


def _flat(cell: Cell) -> Cell:
    return cleaned(cell) if isinstance(cell, str) else cell


def _narrowest(columns: Sequence[str], rows: Sequence[Sequence[Cell]], prose: str) -> int:
    """How wide a table is of which the prose is wrapped at every blank, and nothing else; with three characters between columns."""
    widths = []
    for name, *cells in zip(columns, *rows, strict=True):
        parts = (str(cell).split() if name == prose else str(cell).splitlines() for cell in (name, *cells))
        widths.append(max((cell_len(part) for each in parts for part in each), default=0))
    return sum(widths) + 3 * len(widths) + 1


def _print_records(made: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Each cell on a line of its own, which the terminal wraps without putting anything in between."""
    if title:
        made.print(shown(title, "italic"))
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            if cell:
                made.print(Text.assemble((f"{column}: ", "bold"), shown(cell) if isinstance(cell, str) else cell), soft_wrap=True)
        made.print()


def progress(steps: Iterable[T], *, total: int, label: str) -> Iterator[T]:
    """What is long, with a bar beside it; nothing of it is written where the answer goes."""
    with click.progressbar(steps, length=total, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as shown_steps:
        yield from shown_steps


def moment(at: datetime | None) -> str:
    """A time for people, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""


class Since(click.ParamType[datetime]):
    """`30m`, `24h`, `7d`, or an ISO date: as an aware instant."""

    name = "since"
    _units = {"m": "minutes", "h": "hours", "d": "days"}  # noqa: RUF012 - a constant of a click type

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            if text[:-1].isdecimal() and text[-1] in self._units:
                return _now(ctx) - timedelta(**{self._units[text[-1]]: int(text[:-1])})
            at = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is neither like 30m, 24h, 7d nor an ISO date", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def _now(ctx: click.Context | None) -> datetime:
    """One for the whole command, so that 2h before and after a subcommand's name are the same."""
    now = datetime.now(UTC)
    return ctx.meta.setdefault("ar_workers.now", now) if ctx else now


since_option = click.option("--since", type=Since(), default="30d", show_default=True, help="30m, 24h, 7d or an ISO date (UTC).")
