"""The first start on a machine: who starts it may decide everything from then on."""

from __future__ import annotations

import getpass
import re
from typing import TYPE_CHECKING

from ..disk import place_once
from ..domain.people import PersonRole
from ..seals import keys_folder
from ..seals.files import writing
from ..seals.people import people_of, with_person
from .output import say
from .people import named

if TYPE_CHECKING:
    from collections.abc import Mapping

_ODD = re.compile(r"[^A-Za-z0-9._@-]+")


def name_the_first(environ: Mapping[str, str]) -> None:
    """Where nobody may decide yet: a key for who starts the service, and an admin's name, that of the operating system's user.

    AR_PEOPLE names a file that a person fills: nobody is made admin there.
    """
    people = people_of(environ)
    if people.path.exists() or environ.get("AR_PEOPLE"):
        return
    key, name = people.make_key(), _suggested()
    with writing(people.path.parent):
        place_once(people.path, with_person(people.text(), named(name, PersonRole.ADMIN, key)).encode())
    say(f"you are {name} here, and {PersonRole.ADMIN}: {people.own} is your key, and {people.path} says who may decide what")
    if (keys_folder(environ) / "decide.key").exists():
        say("decide.key is of no use any more: what was approved by it, and is not done yet, `arctl approve` approves anew")


def _suggested() -> str:
    """By what they are known: a name is what the file says, and whoever may write that changes it."""
    try:
        found = getpass.getuser()
    except OSError:
        found = ""
    return _ODD.sub("-", found)[:64].lstrip("._@-") or str(PersonRole.ADMIN)
