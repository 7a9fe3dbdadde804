"""`arctl capabilities`: what each EDR can do on which OS, as the adapters' marks say."""

from __future__ import annotations

import click

from ..bootstrap import capability_cells
from ..domain.actions import ACTIONS
from ..domain.capabilities import Capability, Means
from ..domain.endpoints import OS
from .output import json_option, print_json, print_table

_SYSTEMS = (OS.WINDOWS, OS.MACOS, OS.LINUX)


@click.command()
@json_option
def capabilities(*, as_json: bool) -> None:
    """Show what each EDR can do: natively, by its remote shell, only detecting, or not at all."""
    if as_json:
        print_json(capability_cells())
        return
    columns, lines = capability_matrix(capability_cells())
    print_table("", columns, lines)


def capability_matrix(cells: tuple[Capability, ...]) -> tuple[list[str], list[list[str]]]:
    """The cells as a matrix: a line per verb, a column per EDR, each entry `means`, and `(OS, OS)` if it is not on all."""
    vendors = sorted({cell.edr for cell in cells})
    lines = [[verb.replace("_", " "), *(_entry(cells, vendor, verb) for vendor in vendors)] for verb in ACTIONS]
    return ["Action", *(str(vendor) for vendor in vendors)], lines


def _entry(cells: tuple[Capability, ...], vendor: str, verb: str) -> str:
    found = [cell for cell in cells if (cell.edr, cell.verb) == (vendor, verb) and cell.means is not Means.NONE]
    if not found:
        return "-"
    systems = sorted({str(cell.os) for cell in found})
    return f"{found[0].means} ({', '.join(systems)})" if len(systems) < len(_SYSTEMS) else str(found[0].means)
