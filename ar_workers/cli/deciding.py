"""Who decides: the person whose key this process has, by the name under which it stands in `people.toml`. No other name counts.

Every command that decides asks here before it does anything, and hands the name on to the ledger, which has the decision signed.
"""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from ..domain.errors import NotAllowed
from ..domain.people import alone, refusal
from ..seals.people import people_of

if TYPE_CHECKING:
    from ..domain.people import Decision
    from ..domain.rows import Row


def decider(decision: Decision) -> str:
    """The name of who decides here. Raises KeyUnusable where nobody can tell, NotAllowed where their role does not let them."""
    people = people_of(os.environ)
    me = people.me()
    no = refusal(me, decision, people.everybody())
    if no:
        raise NotAllowed(no)
    return me.name


def approves_alone(row: Row, by: str) -> str:
    """Why this person may not approve this row, where two must have a hand in it; nothing if they may."""
    asked_by = row.asked_by or (None if row.generation > 1 else "")
    return alone(by, asked_by) if _needs_two(row.customer) else ""


def _needs_two(customer: str) -> bool:
    """What the service or the customer's file says; where that cannot be read here, the worker says it."""
    from ..settings import load_system  # noqa: PLC0415 - all that can be configured, and most commands need none of it

    system = load_system(os.environ)
    try:
        said = tomllib.loads((system.customers_folder / f"{customer}.toml").read_text(encoding="utf-8")).get("two_person")
    except (OSError, ValueError):
        said = None
    return system.two_person or said is True
