"""When what is held ends by itself, as the customers' files say it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..domain.errors import InvalidSettings
from ..domain.guards import Guard
from ..settings import load_settings
from .output import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ..domain.policies import Policy
    from ..domain.rows import Row


def first_ends(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """By customer and guard, what becomes of the oldest that is held, and when. Nothing where no file can be read here."""
    policies = _policies()
    oldest: dict[tuple[str, str], datetime] = {}
    for row in rows:
        if row.held_by in set(Guard) and row.held_at:
            key = row.customer, row.held_by
            oldest[key] = min(oldest.get(key, row.held_at), row.held_at)
    return {key: _words(policies[key[0]], since) for key, since in oldest.items() if key[0] in policies}


def _words(policy: Policy, since: datetime) -> str:
    life = policy.hold_terms.life
    return f"; undecided, the first is called off at {moment(since + life)} UTC" if life else "; undecided, it stays held"


def _policies() -> Mapping[str, Policy]:
    """Whoever decides may have no secrets of the customers on this machine."""
    try:
        return {name: customer.policy for name, customer in load_settings(os.environ).customers.items()}
    except InvalidSettings:
        return {}
