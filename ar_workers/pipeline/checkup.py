"""What only the policies and the ledger know: whether remediate groups are there, and what waits for a person or a customer's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..domain.checkups import Check, ok, red, warn
from ..domain.endpoints import SUPPORTED_OS
from ..domain.errors import ARError, Denied
from ..domain.text import whole
from .orphans import NOT_CONFIGURED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..domain.endpoints import Endpoint
    from ..ports import Ledger


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
        return red(name, whole(str(error)), "make the group at the EDR, or mend `remediate_groups`")
    except ARError as error:
        return red(name, whole(str(error)))
    if not number:
        return warn(name, "no endpoint is in it: nothing will be acted on", "put endpoints into it, or mend `remediate_groups`")
    more = f", {unsupported} of them with an OS that is not remediated or not known" if unsupported else ""
    return ok(name, f"{number} endpoint{'s' if number > 1 else ''}{more}")


def records_kept(ledger: Ledger, customer: str) -> Iterator[Check]:
    """One line per feed of the customer of which records could not be read."""
    for each in ledger.refused(customer):
        more = f", and {each.dropped} more came when there was no room" if each.dropped else ""
        since = f" since {each.records[0].at:%Y-%m-%d %H:%M} UTC" if each.records else ""
        yield warn(
            f"{customer}: records of {each.feed}",
            f"{len(each.records)} could not be read and are kept{since}{more}",
            f"look at them: arctl poll --refused --customer {customer}; after an update add --again; when looked at, --forget",
        )


def work_of_nobody(ledger: Ledger, customer: str, file: str) -> Iterator[Check]:
    """Of a customer without a file: what was accepted and cannot be done."""
    waiting, told = ledger.outstanding(customer), ledger.knows(customer, NOT_CONFIGURED)
    fix = f"add {file}, or bring it back: what waits is then done"
    if waiting:
        yield red(f"{customer}: configuration", f"it has no file, and {waiting} of its events and actions wait", fix)
    elif told:
        yield warn(f"{customer}: configuration", "it has no file, and what was accepted for it was given up", fix)
