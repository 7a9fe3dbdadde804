"""What is well known, or the customer's own: a ban of it would hit honest use, so a person decides. The lists are handed in."""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import AfterValidator, ValidationError

from .domains import dns_name
from .guards import ALLOW, Guard, Ruling, Verdict
from .indicators import Domain, File, FileHash, HashType
from .text import Line, shortened
from .verbs import GIVING_BACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .actions import Action
    from .endpoints import Endpoint
    from .policies import Policy

#: Of the lists that a target is on so many are named.
MOST_NAMED = 3
_LONGEST = 500


def parents(domain: str) -> Iterator[str]:
    """The names above, down to two labels."""
    while domain.count(".") > 1:
        domain = domain.partition(".")[2]
        yield domain


class Suffixes(Protocol):
    """The public suffixes, below which anybody may register a name."""

    def has(self, domain: str) -> bool:
        """Whether it is one."""

    def under(self, domain: str) -> str | None:
        """One that lies below the domain, if any does."""

    def owned(self, domain: str) -> str | None:
        """What was registered: the suffix and one label more. None for a suffix."""


@dataclass(frozen=True)
class DomainList:
    """A list by its title. `names` are listed, with whether what is below is meant too; `above` leads from a name above to one of them."""

    title: str
    names: Mapping[str, bool]
    above: Mapping[str, str]

    @classmethod
    def of(cls, title: str, entries: Iterable[str]) -> DomainList:
        """As MISP writes them: a dot in front means whatever is below, too."""
        names: dict[str, bool] = {}
        for entry in entries:
            bare = entry.removeprefix(".")
            names[bare] = names.get(bare, False) or entry != bare
        return cls(title, names, {parent: name for name in names for parent in parents(name)})

    def met_by(self, domain: str, suffixes: Suffixes) -> str | None:
        """How the domain meets it, before the list's title; None if it does not. With `www.` before it a name is the same site."""
        bare = domain.removeprefix("www.")
        if domain in self.names or (bare in self.names and is_same_owner(domain, bare, suffixes)):
            return f"{domain} is on"
        if domain in self.above:
            return f"{domain} is above {self.above[domain]} on"
        wide = next((each for each in parents(domain) if self.names.get(each) and is_same_owner(domain, each, suffixes)), None)
        return f"{domain} is below {wide} on" if wide else None


@dataclass(frozen=True)
class HashList:
    """A list by its title. `digests` are by their length in bytes, sorted."""

    title: str
    digests: Mapping[int, Sequence[bytes]]

    def has(self, digest: bytes) -> bool:
        """Whether it is listed."""
        listed = self.digests.get(len(digest), ())
        place = bisect_left(listed, digest)
        return place < len(listed) and listed[place] == digest


@dataclass(frozen=True)
class WellKnown:
    """All that is known of the well-known."""

    suffixes: Suffixes
    domains: tuple[DomainList, ...] = ()
    hashes: tuple[HashList, ...] = ()


#: The vendors' domains that their consoles, APIs and agents are below: a ban of one blinds the EDR.
EDR_CLOUDS = DomainList.of(
    "The clouds of the EDRs (ar_workers)",
    (
        ".carbonblack.com",
        ".carbonblack.io",
        ".carbonblack.vmware.com",
        ".confer.net",
        ".conferdeploy.net",
        ".cloudsink.net",
        ".crowdstrike.com",
        ".paloaltonetworks.com",
        ".redcanary.co",
        ".redcanary.com",
        ".security.microsoft.com",
        ".securitycenter.microsoft.com",
        ".securitycenter.windows.com",
        ".sentinelone.com",
        ".sentinelone.net",
        ".wd.microsoft.com",
    ),
)


def is_same_owner(domain: str, above: str, suffixes: Suffixes) -> bool:
    """Whether no public suffix stands between the two: what is below `github.io` is not GitHub's."""
    owner = suffixes.owned(above)
    return owner is not None and owner == suffixes.owned(domain)


def rule_of_known(action: Action, policy: Policy, endpoints: Sequence[Endpoint], known: Callable[[], WellKnown]) -> Ruling:
    """Whether a person must decide, because of what the action's domain or content is. `endpoints` are as the EDR shows them now.

    A process may be ended whatever its image is: a malicious script runs in an honest shell. What only takes back a ban harms nobody.
    """
    if action.verb in GIVING_BACK:
        return ALLOW
    match action.indicator:
        case Domain() as found:
            met = _of_domain(found.domain, policy, (*action.endpoints, *endpoints), known())
        case FileHash() | File() as found:
            met = _of_content(found, known().hashes)
        case _:
            return ALLOW
    return Ruling(verdict=Verdict.HOLD, reason=shortened("; ".join(met), _LONGEST), guard=Guard.WELL_KNOWN) if met else ALLOW


def _of_domain(domain: str, policy: Policy, endpoints: Iterable[Endpoint], known: WellKnown) -> list[str]:
    met = [_of_suffixes(domain, known.suffixes), _of_own(domain, policy, endpoints, known.suffixes)]
    listed = [(each.met_by(domain, known.suffixes), each.title) for each in (EDR_CLOUDS, *known.domains)]
    found = [(how, title) for how, title in listed if how]
    return [*filter(None, met), *_named(sorted(found, key=lambda each: not each[0].endswith(" is on")))]


def _of_suffixes(domain: str, suffixes: Suffixes) -> str | None:
    if suffixes.has(domain):
        return f"{domain} is a public suffix (publicsuffixlist)"
    below = suffixes.under(domain)
    return f"{domain} is above {below}, a public suffix (publicsuffixlist)" if below else None


def _of_own(domain: str, policy: Policy, endpoints: Iterable[Endpoint], suffixes: Suffixes) -> str | None:
    """What the file says outright counts with all below; what was concluded only where nobody else may have registered it."""
    said = ((own, "protect.own_domains", True) for own in sorted(policy.own_domains))
    concluded = ((own, where, False) for own, where in (*policy.named_domains.items(), *_of_endpoints(endpoints)))
    for own, where, is_said in (*said, *concluded):
        how = _relation(domain, own)
        if how and (how != "below" or is_said or is_same_owner(domain, own, suffixes)):
            place = f"{how} {own}, which is " if how != "equal" else ""
            return f"{domain} is {place}{policy.customer}'s own ({where})"
    return None


def _relation(domain: str, other: str) -> str:
    if domain == other:
        return "equal"
    return "below" if domain.endswith(f".{other}") else "above" if other.endswith(f".{domain}") else ""


def _of_endpoints(endpoints: Iterable[Endpoint]) -> Iterator[tuple[str, str]]:
    """Of an endpoint with a whole DNS name the domain that it is in, such as that of the Active Directory."""
    for hostname in dict.fromkeys(each.hostname for each in endpoints):
        with contextlib.suppress(ValueError):
            yield dns_name(hostname.partition(".")[2]), f"the endpoint {hostname} is in it"


def _of_content(found: FileHash | File, lists: Sequence[HashList]) -> list[str]:
    hashes = [(kind, value) for kind in HashType if (value := getattr(found, kind, None))]
    return _named([(f"{kind}:{value} is on", each.title) for kind, value in hashes for each in lists if each.has(bytes.fromhex(value))])


def _named(met: Sequence[tuple[str, str]]) -> list[str]:
    """What meets lists in the same way is said once."""
    by_how: dict[str, list[str]] = {}
    for how, title in met[:MOST_NAMED]:
        by_how.setdefault(how, []).append(f"'{title}'")
    more = len(met) - MOST_NAMED
    words = [f"{how} {', '.join(titles)}" for how, titles in by_how.items()]
    return [*words, f"on {more} more list{'s' if more > 1 else ''}"] if more > 0 else words


def _checked_own(entry: str) -> str:
    """As DNS has it. Raises ValueError, with what to write instead."""
    text = entry.lstrip(".")
    if set(text) & set("/@*?:\\"):
        raise ValueError(f"{entry!r} is no domain alone; write it as in acme.example, which stands for all below it, too")
    try:
        return Domain(domain=text).domain
    except ValidationError:
        raise ValueError(f"{entry!r} is no domain as DNS has it; write one such as acme.example or corp.acme.example") from None


OwnDomain = Annotated[Line, AfterValidator(_checked_own)]
