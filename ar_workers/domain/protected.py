"""Which endpoints a customer has put under a person's decision (`[protect]`): by name, group, tag or role, as the EDR shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Annotated, NoReturn

from pydantic import AfterValidator

from .endpoints import Role, Vendor
from .protection import is_address
from .spelling import folded
from .text import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .endpoints import Endpoint

#: NetBIOS cuts a name to so many letters, and some EDRs show that one.
_NETBIOS = 15
#: Whose endpoints have tags, and of whom it is known which of their servers are domain controllers.
TELLS_TAGS = frozenset({Vendor.CORTEX_XDR, Vendor.CROWDSTRIKE, Vendor.DEFENDER, Vendor.SENTINELONE})
TELLS_DOMAIN_CONTROLLERS = frozenset({Vendor.CROWDSTRIKE})


@dataclass(frozen=True)
class Protected:
    """One customer's protected endpoints, parsed. Each entry with what it is compared as."""

    names: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]
    roles: frozenset[Role]

    def entry_for(self, endpoint: Endpoint) -> str | None:
        """The entry that protects this endpoint, with its kind, as the customer wrote it."""
        is_any = self.names or self.groups or self.tags or self.roles
        return next(self._entries(endpoint), None) if is_any else None

    def _entries(self, endpoint: Endpoint) -> Iterator[str]:
        shown = _bare_host(endpoint.hostname)
        yield from (
            f"name {entry}" for entry, name in self.names if _is_matched(endpoint.agent_id.casefold(), name) or _is_host(shown, name)
        )
        yield from (f"group {entry}" for entry in _met(self.groups, endpoint.groups))
        yield from (f"tag {entry}" for entry in _met(self.tags, endpoint.tags))
        yield from (f"role {role}" for role in self._roles(endpoint) if role in self.roles)

    @staticmethod
    def _roles(endpoint: Endpoint) -> tuple[Role, ...]:
        """A domain controller is a server, too."""
        found = endpoint.role
        return (found, Role.SERVER) if found is Role.DOMAIN_CONTROLLER else (found,) if found else ()


def _is_pattern(text: str) -> bool:
    """No endpoint's name has a bracket, so that one alone makes a pattern."""
    return bool(set("*?[") & set(text))


def _is_matched(text: str, listed: str) -> bool:
    return text == listed or (_is_pattern(listed) and fnmatchcase(text, listed))


def _met(listed: Iterable[tuple[str, str]], shown: frozenset[str] | None) -> Iterator[str]:
    """A tag that is shown behind what it is one of, as `FalconGroupingTags/vip` is, goes by its own name, too."""
    words = {folded(form) for each in shown or () for form in (each, each.rpartition("/")[2])}
    return (entry for entry, word in listed if any(_is_matched(each, word) for each in words))


def _is_host(shown: str, name: str) -> bool:
    """Whether a shown name is the listed one in any form. Of two whole DNS names that differ, one does not stand for the other."""
    short, listed = shown.partition(".")[0], name.partition(".")[0]
    if _is_matched(shown, name) or _is_matched(short, name):
        return True
    if _is_pattern(name):
        return shown == short and "." in name and bool(listed.strip("*?")) and _is_matched(short, listed)
    if shown == short or name == listed:
        is_cut = _NETBIOS in {len(short), len(listed)} and short[:_NETBIOS] == listed[:_NETBIOS]
        return short == listed or is_cut
    return False


@cache
def protected(names: frozenset[str], groups: frozenset[str], tags: frozenset[str], roles: frozenset[Role]) -> Protected:
    """Read once for a policy. Raises ValueError for a name that can never match."""
    return Protected(
        tuple((entry, host_name(entry)) for entry in sorted(names)),
        tuple((entry, folded(entry)) for entry in sorted(groups)),
        tuple((entry, folded(entry)) for entry in sorted(tags)),
        roles,
    )


def host_name(entry: str) -> str:
    """An entry of `endpoints` as it is compared. Raises ValueError for one that can never match."""
    if set("^|%$(){}+") & set(entry.rstrip("$")):
        _refuse(entry, "is no hostname, nor a pattern of some: patterns are made of *, ? and [...]; write its name")
    if is_address(entry):
        _refuse(entry, "is an IP address, and endpoints are known by hostname or agent id; write one of these")
    name = _bare_host(entry)
    if not name.partition(".")[0]:
        _refuse(entry, "names no endpoint; write its hostname or agent id")
    if _is_pattern(name) and re.search(r"[\\@]", entry) and not name.strip("*?."):
        _refuse(entry, "stands for all of a domain, which EDRs do not tell; write its endpoints, or *.and.its.dns.name")
    if _is_pattern(name) and re.search(r"\[[^\]]*$", name):
        _refuse(entry, "has a [ that is not closed; write ] behind what it may be")
    if re.search(r"[\s/:]", name) and is_address(name.partition("/")[0].partition(":")[0]):
        _refuse(entry, "is an address; write the hostname or agent id")
    return name


def _bare_host(name: str) -> str:
    r"""`CORP\HOST`, `HOST$` and `host.` are all the same to those who write them."""
    return folded(" ".join(name.rpartition("\\")[2].split()).rstrip(".$"))


def _refuse(entry: str, why: str) -> NoReturn:
    raise ValueError(f"{entry!r} {why}")


def _checked_name(entry: str) -> str:
    host_name(entry)
    return entry


#: Entries as the customer wrote them, which a policy keeps; one that can never match is refused at the start.
ProtectedEndpoint = Annotated[Line, AfterValidator(_checked_name)]


def untold(tags: Iterable[str], roles: Iterable[Role], edrs: Iterable[Vendor]) -> str | None:
    """Why an entry can never match, because no EDR of this customer shows what it asks for; or None."""
    vendors = frozenset(edrs)
    if set(tags) and vendors and not vendors & TELLS_TAGS:
        return "tags: no EDR of this customer has tags; protect by endpoints, groups or roles"
    if Role.DOMAIN_CONTROLLER in set(roles) and Role.SERVER not in set(roles) and vendors and not vendors & TELLS_DOMAIN_CONTROLLERS:
        return "roles: no EDR of this customer tells which servers are domain controllers; write server, or protect them by endpoints"
    return None
