"""`arctl people`: who may decide what, and by which key each is known."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ..disk import locked, place
from ..domain.errors import ARError, KeyUnusable
from ..domain.people import PersonRole, decisions_of
from ..seals.files import writing
from ..seals.people import Named, PeopleFile, named_in, people_of, with_person, without_person
from .groups import Listing
from .names import Names, no_such
from .output import json_option, print_json_list, print_table, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..domain.people import Person
    from .output import Cell

ROLE = Names("role", PersonRole)


@click.group(cls=Listing, invoke_without_command=True)
@json_option
@click.pass_context
def people(context: click.Context, *, as_json: bool) -> None:
    """List who may decide what, and by which key each is known.

    What somebody decides is signed by the key in their own home; the name of the operating system's user proves nothing. Exit status 1
    if the file cannot be used.

    Example: arctl people
    """
    if context.invoked_subcommand:
        return
    file = people_of(os.environ)
    found, mine = file.everybody(), _own_id(file)
    if as_json:
        print_json_list([_plain(each, mine) for each in found])
        return
    if not found:
        say(f"nobody may decide yet: `arctl people add NAME --role {PersonRole.ADMIN}` makes a key of your own and names you")
        return
    columns = ("Name", "Role", "May", "Key", "You")
    print_table("", columns, (_line(each, mine) for each in found), prose="May")
    say(f"they stand in {file.path}; whoever may write that file says who may")


def _own_id(file: PeopleFile) -> str:
    with suppress(KeyUnusable):
        return file.own_id()
    return ""


def _line(person: Person, mine: str) -> tuple[Cell, ...]:
    may = ", ".join(decisions_of(person.role)) or "look"
    return person.name, person.role, may, person.key_id, "yes" if person.key_id == mine else ""


def _plain(person: Person, mine: str) -> dict[str, Any]:
    return {**person._asdict(), "may": decisions_of(person.role), "is_you": person.key_id == mine}


@people.command()
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What they may; each role may what those before it may.")
@click.option("--key", help="Their public key, as their `arctl keys new` says it. Default: your own, which is made if you have none.")
@click.option("--replace", is_flag=True, help="They are named already: give them this role and key instead.")
def add(name: str, role: str, key: str | None, *, replace: bool) -> None:
    r"""Name somebody who may decide.

    Workers take it within some seconds. Whoever may write the file may do this, with arctl or without: its permissions are the
    authority. Exit status 1 if the name or the key is somebody's already.

    \b
    Examples: arctl people add kim --role admin
              arctl people add lee --role approver --key 8ifmTnynzD2CTge9aZGv6wh3HAYhtgYmKXcMRI6ij30=
    """
    file = people_of(os.environ)

    def change(text: str) -> str:
        if not replace and name.casefold() in {each.name.casefold() for each in named_in(text)}:
            raise ARError(f"{name} is named already: --replace gives them this role and key instead")
        return with_person(text, named(name, role, key or file.make_key()))

    _change(file, change)
    say(f"{name} is {role} now, and may {', '.join(decisions_of(PersonRole(role))) or 'look'}")


@people.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take somebody out of the file: what they have decided and is not done yet is not believed any more.

    Exit status 1 if nobody has that name.

    Example: arctl people remove lee
    """

    def change(text: str) -> str:
        known = [each.name for each in named_in(text)]
        if name not in known:
            raise ARError(no_such("person", name, known))
        return without_person(text, name)

    _change(people_of(os.environ), change)
    say(f"{name} decides nothing any more")


def named(name: str, role: str, key: str) -> Named:
    """Raises ARError, in one line, for a name or a key that is none."""
    try:
        return Named(name=name, role=PersonRole(role), key=key)
    except ValueError as error:
        raise ARError(f"{name}: {_first(error)}") from None


def _first(error: ValueError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]  # type: ignore[attr-defined]
    return f"{found['loc'][0]}: {found['msg']}"


def _change(file: PeopleFile, change: Callable[[str], str]) -> None:
    """Whole, or not at all, and one after the other. A file that is there keeps its permissions."""
    with writing(file.path.parent), locked(file.path.parent):
        before = file.path.stat().st_mode & 0o777 if file.path.exists() else 0o600
        file.check()
        try:
            changed = change(file.text())
        except ValueError as error:
            raise ARError(f"{file.path}: {error}") from None
        place(file.path, changed.encode())
        file.path.chmod(before)
