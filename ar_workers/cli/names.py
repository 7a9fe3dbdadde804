"""Names that people type: one that does not exist is refused, with what is near to it and what is known.

A listing of a customer that does not exist would look like a customer to whom nothing has happened.
"""

from __future__ import annotations

import contextlib
import difflib
import os
from typing import TYPE_CHECKING, Any

import click

from ..domain.actions import ACTIONS
from ..domain.endpoints import Vendor
from ..domain.errors import InvalidSettings
from ..domain.states import State
from .connection import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..ports import Ledger

#: More names than these are counted rather than listed.
MOST_LISTED = 20


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """`no customer acmee: did you mean acme? known are acme, globex`."""
    return f"no {what} {name}: {known_are(name, known)}"


def known_are(name: str, known: Iterable[str]) -> str:
    """How to go on after `name` was not known."""
    names = sorted(known)
    by_letters = {each.casefold(): each for each in names}
    close = [by_letters[each] for each in difflib.get_close_matches(name.casefold(), by_letters, n=1)]
    more = [f"and {len(names) - MOST_LISTED} more"] if len(names) > MOST_LISTED else []
    listed = ", ".join([*names[:MOST_LISTED], *more]) or "none"
    return (f"did you mean {close[0]}? " if close else "") + f"known are {listed}"


def configured() -> tuple[list[str], Path]:
    """Who has a file, by its name alone, and in which folder. Raises InvalidSettings where that cannot be told."""
    from ..settings import load_system  # noqa: PLC0415 - all that can be configured, and most commands name no customer

    folder = load_system(os.environ).customers_folder
    return sorted(path.stem for path in folder.glob("*.toml")), folder


def known_customers(ledger: Ledger) -> list[str]:
    """Who has a file, and whom the ledger has seen. Whoever stops something is not kept from it by a variable that is wrong."""
    with contextlib.suppress(InvalidSettings):
        return sorted({*configured()[0], *ledger.customers()})
    return ledger.customers()


class Names(click.Choice[str]):
    """One of a few names."""

    def __init__(self, what: str, names: Iterable[str]) -> None:
        super().__init__(sorted(map(str, names)))
        self.what = what

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """With what is near to it."""
        return no_such(self.what, str(value), self.choices)


class CustomerName(click.ParamType[str]):
    """A customer that has a file, or that the ledger has seen."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises LedgerUnavailable where Redis is away."""
        known = known_customers(open_ledger())
        if value not in known:
            self.fail(no_such("customer", str(value), known), param, ctx)
        return str(value)


CUSTOMER = CustomerName()
EDR = Names("EDR", Vendor)
VERB = Names("verb", ACTIONS)
STATE = Names("state", State)
