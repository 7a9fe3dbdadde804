"""May this action run now? Pure rules, asked immediately before the EDR is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from .actions import QuarantineFile
from .endpoints import OS
from .indicators import Domain, File, FileHash, Process, RegistryKey
from .keys import registry_problem
from .model import Value
from .paths import content_problem, image_problem, path_problem, process_problem
from .protection import of_domain, of_file, of_hash, of_key
from .verbs import GIVING_BACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .actions import Action
    from .endpoints import Endpoint
    from .facts import Fact
    from .policies import Policy
    from .protection import Place

#: The empty file's hashes: banning them would block every empty file of the customer.
EMPTY_FILE = frozenset(
    {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "d41d8cd98f00b204e9800998ecf8427e",
    }
)


class Verdict(StrEnum):
    """What a guard says."""

    ALLOW = "allow"
    #: Not now: a person decides.
    HOLD = "hold"
    #: Never: settled as skipped.
    REFUSE = "refuse"


class Guard(StrEnum):
    """Who holds a row for a person. An approval opens the guard that held the row, and no other."""

    PROTECTED = "protected"
    #: Asked beside the others, because each of the two needs an approval of its own: see `wellknown`.
    WELL_KNOWN = "well_known"
    #: Asked by the ledger, which counts.
    BLAST_RADIUS = "blast_radius"
    #: Not a rule but a doubt: the answer was lost, and somebody may have undone it since.
    IN_DOUBT = "in_doubt"


class Ruling(Value):
    """A guard's answer, with the reason that is recorded; `guard` is who holds."""

    verdict: Verdict = Verdict.ALLOW
    reason: str = ""
    guard: Guard | None = None


ALLOW = Ruling()


def rule(action: Action, policy: Policy, endpoints: Sequence[Endpoint], seen: Fact) -> Ruling:
    """Whether `action` may run, given its endpoints and its target as the EDR shows them now.

    What gives back, as a release does, is always allowed on the customer's own endpoints.
    """
    if action.customer != policy.customer:
        return _refuse(f"customer {action.customer} is not the owner of this policy")
    if action.verb in GIVING_BACK:
        return ALLOW
    return (
        _group(policy, endpoints)
        or _unsupported(action, endpoints)
        or _target(action, policy, seen.image)
        # Last, because an approval opens it, and nothing else.
        or _protected(action, policy, endpoints)
        or ALLOW
    )


def _group(policy: Policy, endpoints: Sequence[Endpoint]) -> Ruling | None:
    if any(policy.may_remediate(endpoint) for endpoint in endpoints):
        return None
    return _refuse("no affected endpoint is in a remediate group")


def _unsupported(action: Action, endpoints: Sequence[Endpoint]) -> Ruling | None:
    """When it was planned, the OS may not have been known."""
    wrong = [endpoint.os for endpoint in endpoints if endpoint.is_unsupported]
    return _refuse(f"{wrong[0]} is not supported: never acted on by automation") if action.lane and wrong else None


def _protected(action: Action, policy: Policy, endpoints: Sequence[Endpoint]) -> Ruling | None:
    """By what it was when it was planned, or is now."""
    if not action.lane:
        return None
    entry = next(filter(None, map(policy.protected.entry_for, (*endpoints, *action.endpoints))), None)
    return Ruling(verdict=Verdict.HOLD, reason=f"protected endpoint ({entry}): a TRE decides", guard=Guard.PROTECTED) if entry else None


def _target(action: Action, policy: Policy, image: str) -> Ruling | None:
    """By what the action names, and what the EDR shows there: a pid with a hash or start names no image.

    An EDR that shows no image beforehand lets a script of ours look, which judges by the same list on the endpoint.
    """
    problem = target_problem(action) or image_problem(image)
    if problem:
        return _refuse(problem)
    entry = policy.protection.entry_against(_places(action)) or policy.protection.entry_against_image(image)
    return _refuse(f"never-touch list: {entry}") if entry else None


def target_problem(action: Action) -> str | None:
    """Why this target must not or cannot safely be acted on by anybody, or None."""
    match action.indicator:
        case FileHash() as found:
            return "hash of the empty file" if EMPTY_FILE & set(_hashes(found)) else None
        case Process() as found:
            return process_problem(found)
        case File() as found:
            judge = content_problem if isinstance(action, QuarantineFile) else path_problem
            return judge(found.path, next((each.os for each in action.endpoints), OS.UNKNOWN))
        case RegistryKey() as found:
            return registry_problem(found)
        case Domain() | None:
            return None


def _places(action: Action) -> Iterator[Place]:
    match action.indicator:
        case FileHash() as found:
            yield from map(of_hash, _hashes(found))
        case Domain() as found:
            yield of_domain(found.domain)
        case Process() as found:
            yield from map(of_hash, filter(None, (found.sha256,)))
            yield from of_file(found.image_path or "")
        case File() as found:
            yield from map(of_hash, filter(None, (found.sha256, found.sha1)))
            yield from of_file(found.path)
        case RegistryKey() as found:
            yield of_key(found.key, found.value)
        case None:
            return


def _hashes(found: FileHash) -> list[str]:
    return [value for value in (found.sha256, found.sha1, found.md5) if value]


def _refuse(reason: str) -> Ruling:
    return Ruling(verdict=Verdict.REFUSE, reason=reason)
