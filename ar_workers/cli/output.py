"""How commands answer: a table for people, one JSON document for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..domain.model import Value

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")

#: Columns of a table that is piped, which is not broken into lines before.
WIDEST = 1000
#: Colour only repeats what the word says.
COLOURS = {
    "done": "green",
    "already": "green",
    "skipped": "bright_black",
    "cancelled": "bright_black",
    "failed": "bold red",
    "held": "yellow",
    "unknown": "bold yellow",
    "performed": "cyan",
    "leased": "blue",
}


def coloured(state: str) -> str:
    """A state's name in its colour, as rich markup."""
    colour = COLOURS.get(state)
    return f"[{colour}]{state}[/]" if colour else state


def print_json(values: Sequence[Value] | dict[str, Any]) -> None:
    """A list of values, or a dict of JSON's own types."""
    plain = values if isinstance(values, dict) else [value.model_dump(mode="json") for value in values]
    click.echo(json.dumps(plain, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal; piped, as wide as it needs to be."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDEST)
    console.print(table)


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
        if text[:-1].isdigit() and text[-1] in self._units:
            return datetime.now(UTC) - timedelta(**{self._units[text[-1]]: int(text[:-1])})
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is neither like 30m, 24h, 7d nor an ISO date", param, ctx)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


since_option = click.option("--since", type=Since(), default="30d", show_default=True, help="30m, 24h, 7d or an ISO date (UTC).")
