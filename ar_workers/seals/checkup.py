"""Whether this machine can tell what is sealed, and what it may seal itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.checkups import Check, ok, red, warn
from ..domain.errors import KeyUnusable
from ..domain.people import Decision, PersonRole, may
from ..domain.seals import Role
from . import keyring_of
from .people import people_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .folder import FolderKeyring


def keys_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """A role whose private half is not here is no fault: another machine may have it."""
    ring = keyring_of(environ, only_looks=True)
    if ring.is_new() and not environ.get("AR_KEYS"):
        yield warn("keys", f"there are none in {ring.folder} yet", "the first `arctl up` or `arctl ingest` makes them")
        return
    try:
        trusted = ring.trusted()
    except KeyUnusable as error:
        yield red("keys", str(error))
        return
    for role in Role:
        if not trusted.get(role):
            yield red(str(role), f"{ring.place} names no key of it: nothing that it says is believed", f"arctl keys rotate {role}")
        else:
            yield _own(ring, role)
    yield _who_may(environ)
    if environ.get("AR_UNSEALED") == "allow":
        fix = "unset AR_UNSEALED once the work of the older version is finished"
        yield warn("AR_UNSEALED", "allow: whoever may write to Redis can act by what has no seal", fix)


def _who_may(environ: Mapping[str, str]) -> Check:
    """What has been held waits for ever where nobody may let it pass."""
    people = people_of(environ)
    try:
        found = people.everybody()
    except KeyUnusable as error:
        return red("people", str(error))
    approvers = [each.name for each in found if may(each.role, Decision.APPROVE)]
    if not approvers:
        fix = f"arctl people add NAME --role {PersonRole.ADMIN}"
        return warn("people", f"{people.path} names nobody who may let pass what is held, or open what is paused", fix)
    return ok("people", f"{len(found)} may decide, of whom {len(approvers)} may approve: {', '.join(approvers)}")


def _own(ring: FolderKeyring, role: Role) -> Check:
    if not ring.path(role).exists():
        return ok(str(role), "its seals can be told; its private half is not on this machine")
    try:
        ring.check(role)
    except KeyUnusable as error:
        return red(str(role), str(error))
    return ok(str(role), f"seals with key {ring.own_id(role)}")
