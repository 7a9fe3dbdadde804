"""How much of a remediate group may be isolated in any hour: a share of what the EDR shows in it, and a few in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .endpoints import Vendor
    from .policies import Policy

#: What is no limit: no group is counted for it.
WHOLE = 100


class Share(NamedTuple):
    """So many isolations of a group in any hour, and how that follows from the group's size, for the reason of what is held."""

    most: int
    words: str


def name_of(edr: Vendor, group: str) -> str:
    """A group of one EDR, as the ledger counts it."""
    return f"{edr}/{group}"


def has_shares(policy: Policy) -> bool:
    """Whether a group can be full before the customer's own cap is reached."""
    return policy.isolations_percent_of_group < WHOLE and policy.isolations_least_of_group < policy.isolations_per_hour


def names_within(policy: Policy, edr: Vendor, groups: Iterable[str] | None) -> list[str]:
    """Of an endpoint's groups those of whose share an isolation of it takes a part."""
    ours = policy.remediate_groups.get(edr, frozenset()) & frozenset(groups or ()) if has_shares(policy) else ()
    return [name_of(edr, group) for group in sorted(ours)]


def enough(policy: Policy) -> int:
    """Of a group's endpoints so many need to be counted: in a larger one the customer's own cap is reached first."""
    percent = policy.isolations_percent_of_group
    return -(-policy.isolations_per_hour * WHOLE // percent) if percent else 0


def share_of(policy: Policy, size: int) -> Share:
    """Of a group of which the EDR shows so many endpoints, or so many at least."""
    percent, least = policy.isolations_percent_of_group, policy.isolations_least_of_group
    part = size * percent // WHOLE
    words = f"{percent} % of {size} endpoints"
    return Share(part, words) if part > least else Share(least, f"{words}, but {least} in any case")


def share_of_unknown(policy: Policy, why: str) -> Share:
    """Of a group whose size is not known: what may be done in the smallest one."""
    return Share(policy.isolations_least_of_group, f"its size is not known: {why}")
