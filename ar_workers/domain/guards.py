"""May this action run now? Pure rules, asked immediately before the EDR is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from .actions import BanDomain, BanHash, DeleteFile, DeleteRegistryKey, KillProcess, QuarantineFile, ReleaseEndpoint
from .model import Value
from .paths import path_problem, process_problem, registry_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .actions import Action
    from .endpoints import Endpoint
    from .policies import Policy

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


class Ruling(Value):
    """A guard's answer, with the reason that is recorded."""

    verdict: Verdict = Verdict.ALLOW
    reason: str = ""


ALLOW = Ruling()


def rule(action: Action, policy: Policy, endpoints: Sequence[Endpoint]) -> Ruling:
    """Whether `action` may run, given its endpoints as the EDR shows them now.

    A release is always allowed on the customer's own endpoints: it gives access back.
    """
    if action.customer != policy.customer:
        return _refuse(f"customer {action.customer} is not the owner of this policy")
    if isinstance(action, ReleaseEndpoint):
        return ALLOW
    return (
        _group(policy, endpoints)
        or _unsupported(action, endpoints)
        or _protected(action, policy, endpoints)
        or _target(action, policy)
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
    """By what it was called when it was planned, or is now."""
    if action.lane and any(policy.protects(endpoint) for endpoint in (*action.endpoints, *endpoints)):
        return Ruling(verdict=Verdict.HOLD, reason="protected endpoint: a TRE decides")
    return None


def _target(action: Action, policy: Policy) -> Ruling | None:
    problem = target_problem(action)
    if problem:
        return _refuse(problem)
    listed = {entry.casefold() for entry in policy.never_touch}
    named = next((name for name in _names(action) if name.casefold() in listed), None)
    return _refuse(f"never-touch list: {named}") if named else None


def target_problem(action: Action) -> str | None:
    """Why this target must not or cannot safely be acted on by anybody, or None."""
    match action:
        case BanHash():
            return "hash of the empty file" if EMPTY_FILE & set(_names(action)) else None
        case KillProcess():
            return process_problem(action.process)
        case DeleteFile() | QuarantineFile():
            return path_problem(action.file.path, action.endpoint.os)
        case DeleteRegistryKey():
            return registry_problem(action.registry)
        case _:
            return None


def _names(action: Action) -> list[str]:
    match action:
        case BanHash(hash=found):
            return [value for value in (found.sha256, found.sha1, found.md5) if value]
        case BanDomain(domain=found):
            labels = found.domain.split(".")
            return [".".join(labels[start:]) for start in range(len(labels) - 1)]
        case KillProcess(process=found):
            return [value for value in (found.sha256, found.image_path) if value]
        case DeleteFile(file=found) | QuarantineFile(file=found):
            return [value for value in (found.path, found.sha256) if value]
        case DeleteRegistryKey(registry=found):
            return [found.key]
        case _:
            return []


def _refuse(reason: str) -> Ruling:
    return Ruling(verdict=Verdict.REFUSE, reason=reason)
