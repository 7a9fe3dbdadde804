"""`arctl docs`: the parts of README.md that are generated, written or compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..bootstrap import capability_cells
from ..channels import CHANNELS
from ..domain.errors import ARError
from ..edr import ADAPTERS
from ..settings import System
from .capabilities import capability_matrix
from .output import say

if TYPE_CHECKING:
    from collections.abc import Callable

README = Path(__file__).parents[2] / "README.md"


def capability_table() -> str:
    """The capability table as Markdown, and the vendors' restrictions below it."""
    cells = capability_cells()
    remarks = dict.fromkeys(f"- {cell.edr}, {cell.verb.replace('_', ' ')}: {cell.remark}." for cell in cells if cell.remark)
    return "\n".join([_markdown(*capability_matrix(cells)), "", *remarks])


def settings_table() -> str:
    """Every system setting with its default."""
    lines = []
    for name, field in System.model_fields.items():
        default = "" if field.default in {None, ""} else str(field.default).replace(str(Path.home()), "~")
        secret = "SecretStr" in str(field.annotation)
        lines.append([f"`AR_{name.upper()}`" + (f" or `AR_{name.upper()}_FILE`" if secret else ""), f"`{default}`" if default else ""])
    return _markdown(["Variable", "Default"], lines)


def options_table() -> str:
    """What the section of each EDR and each channel takes."""
    lines = []
    for kind, entries in (("EDR", ADAPTERS), ("channel", CHANNELS)):
        for name, entry in entries.items():
            fields = entry.config.model_fields.items()
            needed = ", ".join(f"`{key}`" for key, field in fields if field.is_required())
            optional = ", ".join(f"`{key}`" for key, field in fields if not field.is_required())
            lines.append([f"{kind} {name}", needed, optional])
    return _markdown(["Section", "Needed", "Optional"], lines)


def _markdown(columns: list[str], lines: list[list[str]]) -> str:
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


BLOCKS: dict[str, Callable[[], str]] = {"capabilities": capability_table, "settings": settings_table, "options": options_table}


def filled(text: str) -> str:
    """`text` with every generated block made anew. Raises ARError if one has no place in it."""
    for name, make in BLOCKS.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        place = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
        if not place.search(text):
            raise ARError(f"README.md has no place for {name}: put {begin} and {end} into it")
        block = f"{begin}\n{make()}\n{end}"
        text = place.sub(lambda _, block=block: block, text)  # type: ignore[misc]
    return text


@click.command()
@click.option("--check", is_flag=True, help="Only say whether README.md is up to date.")
def docs(*, check: bool) -> None:
    """Write the generated parts of README.md: the capability table, the settings and the options."""
    text = README.read_text(encoding="utf-8")
    fresh = filled(text)
    if fresh == text:
        say("README.md is up to date")
    elif check:
        raise ARError("README.md is not up to date: run `arctl docs`")
    else:
        README.write_text(fresh, encoding="utf-8")
        say("README.md was written")
