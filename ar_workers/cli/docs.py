"""`arctl docs`: the parts of the documentation that are generated, written or compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..domain.errors import ARError
from . import reference
from .output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
#: Block -> what makes it. Each stands in one place at least.
BLOCKS: dict[str, Callable[[], str]] = {
    "capabilities": reference.capability_table,
    "permissions": reference.permissions,
    "environment": reference.environment,
    "customer": reference.customer_keys,
    "edrs": reference.edr_keys,
    "redcanary": reference.redcanary_keys,
    "receivers": reference.channel_keys,
    "routes": reference.route_keys,
    "automations": reference.automation_keys,
    "protect": reference.protect_keys,
}
_BLOCK = re.compile(r"<!-- generated: (?P<name>[a-z]+) -->\n.*?<!-- end: (?P=name) -->", re.DOTALL)


def pages() -> list[Path]:
    """Every page for readers. Raises ARError where there is none: an installed package has no pages."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
    if not all(map(Path.is_file, found)) or not (ROOT / "docs").is_dir():
        raise ARError("the pages stand in the repository, not in the installed package: run this in a checkout")
    return found


def filled(text: str) -> str:
    """`text` with every generated block made anew. Raises ARError for a block that nothing makes."""

    def fresh(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in BLOCKS:
            raise ARError(f"nothing makes the block {name}; known are {', '.join(BLOCKS)}")
        return f"<!-- generated: {name} -->\n{BLOCKS[name]()}\n<!-- end: {name} -->"

    return _BLOCK.sub(fresh, text)


def stale() -> Iterator[tuple[Path, str]]:
    """The pages that are not up to date, and what they should be. Raises ARError if a block has no place."""
    found = {page: page.read_text(encoding="utf-8") for page in pages()}
    placed = {each["name"] for text in found.values() for each in _BLOCK.finditer(text)}
    for name in BLOCKS:
        if name not in placed:
            raise ARError(f"no page has a place for {name}: put <!-- generated: {name} --> and <!-- end: {name} --> into one")
    for page, text in found.items():
        if filled(text) != text:
            yield page, filled(text)


@click.command()
@click.option("--check", is_flag=True, help="Only say whether they are up to date.")
def docs(*, check: bool) -> None:
    """Write the generated parts of the pages: what the EDRs can do and must be allowed, and every key of the settings.

    Example: arctl docs --check
    """
    old = dict(stale())
    names = ", ".join(str(page.relative_to(ROOT)) for page in old)
    if not old:
        say("every page is up to date")
    elif check:
        raise ARError(f"not up to date: {names}; run `arctl docs`")
    for page, text in old.items():
        page.write_text(text, encoding="utf-8")
        say(f"{page.relative_to(ROOT)} was written")
