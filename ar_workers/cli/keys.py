"""`arctl keys`: the keys of processes, which seal events and orders, and the key of a person, who signs what they decide."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..domain.seals import Role
from ..seals import keyring_of
from ..seals.people import people_of
from .names import Names
from .output import json_option, moment, print_json_list, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..seals.folder import FolderKeyring
    from ..seals.ring import TrustedKey

_TELLS = {Role.DOOR: "events", Role.RESPOND: "orders", Role.AUDIT: "the record"}


@click.group()
def keys() -> None:
    """Show or replace the keys that seal events and orders, or make your own, which signs what you decide."""


@keys.command()
@json_option
def show(*, as_json: bool) -> None:
    """List the keys that are trusted, and of which of them the private half is on this machine.

    Exit status 1 if there are none yet, or if they cannot be used.

    Example: arctl keys show
    """
    ring = keyring_of(os.environ, only_looks=True)
    found = list(_found(ring))
    if as_json:
        print_json_list([_plain(ring, *each) for each in found])
        return
    columns = ("Role", "Seals", "Key", "Since (UTC)", "Trusted until (UTC)", "Private half here")
    print_table("", columns, (_line(ring, *each) for each in found), prose=columns[-1])
    say(f"trusted is what {ring.place} names")


@keys.command()
@click.argument("role", required=False, type=Names("role", Role))
@click.option("--revoke", is_flag=True, help="Trust the old keys no more: somebody else may have them. What they sealed is refused.")
def rotate(role: str | None, *, revoke: bool) -> None:
    r"""Make a new key for ROLE, or one for each. It seals from now on, without a restart.

    What the old key has sealed is trusted for as long as that may live. Other machines need the new trusted.json before anything
    that the new key has sealed reaches them; the page on operations says in which order.

    \b
    Examples: arctl keys rotate
              arctl keys rotate door --revoke
    """
    ring = keyring_of(os.environ)
    if ring.is_new():
        ring.make()
        say(f"{ring.folder}: keys of {', '.join(Role)} were made")
        return
    for each in [Role(role)] if role else Role:
        fresh = ring.rotate(each, revokes=revoke)
        before = "refused" if revoke else "trusted while it may live"
        say(f"{each}: {fresh.id} seals from now on; what the keys before it have sealed is {before}")


@keys.command()
def new() -> None:
    """Make your own key, which signs what you decide, and say how it gets a name. One that is there already stays.

    It is kept in your own home, in a file that nobody else may read (AR_PERSON_KEY names another), and never leaves it: its public half is
    all that anybody else needs.

    Example: arctl keys new
    """
    people = people_of(os.environ)
    was_there = people.own.exists()
    public = people.make_key()
    say(f"{people.own}: {'your key is there already' if was_there else 'your key was made'}; its public half is {public}")
    named = people.by_key(people.own_id())
    if named:
        say(f"{people.path} names it: you are {named.name}, {named.role}")
    else:
        say(f"whoever may write {people.path} names you: arctl people add NAME --role responder --key {public}")


def _found(ring: FolderKeyring) -> Iterator[tuple[Role, TrustedKey, bool]]:
    for role, trusted in ring.trusted().items():
        mine = ring.own_id(role)
        yield from ((role, key, key.id == mine) for key in trusted)


def _line(ring: FolderKeyring, role: Role, key: TrustedKey, is_here: bool) -> tuple[str, ...]:  # noqa: FBT001 - a cell
    return role, _TELLS[role], key.id, moment(key.since), moment(key.until) if key.until else "", str(ring.path(role)) if is_here else "no"


def _plain(ring: FolderKeyring, role: Role, key: TrustedKey, is_here: bool) -> dict[str, Any]:  # noqa: FBT001 - a cell
    return {"role": role, **key.model_dump(mode="json"), "private": str(ring.path(role)) if is_here else None}
