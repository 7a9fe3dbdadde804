"""How large the remediate groups are: the re-check counts them, and an isolation counts the one that nobody has counted yet."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from ..domain.blast_radius import enough, has_shares, name_of, names_within, share_of, share_of_unknown
from ..domain.errors import ARError
from ..domain.text import whole
from ..domain.verbs import VERBS, Cap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..domain.actions import Action
    from ..domain.blast_radius import Share
    from ..domain.endpoints import Endpoint
    from ..domain.policies import Policy
    from ..ports import EDR
    from .services import Services

_log = logging.getLogger(__name__)
#: A group that could not be counted is left alone for so many seconds: each isolation would ask for it.
LEFT_ALONE = 60.0


def known_shares(services: Services, customer: str, row_ids: Sequence[str]) -> dict[str, Share]:
    """The shares of the customer's groups, as far as they were counted, if any of the rows takes a part of them. Asks no EDR."""
    policy = services.policies.get(customer)
    if policy is None or not has_shares(policy) or not any(map(_takes_part, row_ids)):
        return {}
    names = sorted(name_of(edr, group) for edr, groups in policy.remediate_groups.items() for group in groups)
    return {name: share_of(policy, size) for name, size in services.ledger.group_sizes(customer, names).items()}


def _takes_part(row_id: str) -> bool:
    rule = VERBS.get(row_id.partition(":")[2].partition(":")[0])
    return rule is not None and rule.cap is Cap.ISOLATIONS


def planned_names(policy: Policy, action: Action) -> frozenset[str]:
    """The groups by which a claim has counted: those that were known when the action was planned."""
    return (
        frozenset(names_within(policy, action.edr, action.endpoints[0].groups)) if VERBS[action.verb].cap is Cap.ISOLATIONS else frozenset()
    )


def shares_of(services: Services, action: Action, shown: Sequence[Endpoint], edr: EDR, known: Mapping[str, Share]) -> dict[str, Share]:
    """The shares of the groups in which the EDR shows the action's endpoint now. What is not among the `known` is counted."""
    if VERBS[action.verb].cap is not Cap.ISOLATIONS or not shown:
        return {}
    policy = services.policies[action.customer]
    names = names_within(policy, action.edr, shown[0].groups)
    return {name: known.get(name) or _counted(services, policy, name, edr) for name in names}


def _counted(services: Services, policy: Policy, name: str, edr: EDR) -> Share:
    """No further than the size matters. Where it cannot be read, nobody may believe that the group is large."""
    most, key = enough(policy), (policy.customer, name)
    until, why = services.uncounted.get(key, (0.0, ""))
    if why and services.monotonic() < until:
        return share_of_unknown(policy, why)
    try:
        size = sum(1 for _ in islice(edr.members(name.partition("/")[2]), most))
    except ARError as error:
        why = whole(f"{type(error).__name__}: {error}")
        services.uncounted[key] = services.monotonic() + LEFT_ALONE, why
        _log.warning("%s: the size of %s is not known, so that few of it may be isolated: %s", policy.customer, name, why)
        return share_of_unknown(policy, why)
    services.ledger.keep_group_size(policy.customer, name, size)
    return share_of(policy, size)


def counting(services: Services, customer: str, name: str, members: Iterable[Endpoint]) -> Iterator[Endpoint]:
    """The same endpoints; how many there were is kept once the last of them is read."""
    size = 0
    for each in members:
        size += 1
        yield each
    services.ledger.keep_group_size(customer, name, size)
