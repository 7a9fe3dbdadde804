"""What of a customer's EDR only the policy knows: whether its remediate groups are there, and what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..domain.checkups import Check, ok, red, warn
from ..domain.endpoints import SUPPORTED_OS
from ..domain.errors import ARError, Denied
from ..domain.text import cleaned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..domain.endpoints import Endpoint


class Listing(Protocol):
    """Of `ports.EDR` only this is needed."""

    def members(self, group: str) -> Iterator[Endpoint]:
        """Every endpoint of the group."""


def groups_found(edr: Listing, groups: Iterable[str], *, is_late: Callable[[], bool]) -> Iterator[Check]:
    """One line per group. A count that takes longer than until `is_late` ends there, and says so."""
    for group in sorted(groups):
        yield _found(edr, group, is_late)


def _found(edr: Listing, group: str, is_late: Callable[[], bool]) -> Check:
    name, number, unsupported = f"group {group}", 0, 0
    try:
        for endpoint in edr.members(group):
            number += 1
            unsupported += endpoint.os not in SUPPORTED_OS
            if is_late():
                return warn(name, f"at least {number} endpoints: there was no time to count them all")
    except Denied as error:
        return red(name, cleaned(str(error))[:300], "make the group at the EDR, or mend `remediate_groups`")
    except ARError as error:
        return red(name, cleaned(str(error))[:300])
    if not number:
        return warn(name, "no endpoint is in it: nothing will be acted on", "put endpoints into it, or mend `remediate_groups`")
    more = f", {unsupported} of them with an OS that is not remediated or not known" if unsupported else ""
    return ok(name, f"{number} endpoint{'s' if number > 1 else ''}{more}")
