"""Keys that nobody else has: one folder of them for a session, which its processes inherit, and rings in memory. And a folder for the record.

In the session's files there is one person, KIM, an admin, whose key commands sign by. In memory everybody has a key and may everything.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ar_workers.domain.errors import KeyUnusable, NotAllowed
from ar_workers.domain.people import Person, PersonRole, refusal
from ar_workers.domain.seals import Role, Signed
from ar_workers.seals import Seals, keyring_of
from ar_workers.seals.people import Named, people_of, with_person
from ar_workers.seals.ring import TrustedKey, is_signed, key_id_of, new_key, public_of, trusted_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ar_workers.domain.people import Decision

if "AR_KEYS" not in os.environ:
    os.environ["AR_KEYS"] = tempfile.mkdtemp(prefix="ar-test-keys-")
    atexit.register(shutil.rmtree, os.environ["AR_KEYS"], ignore_errors=True)

if "AR_AUDIT" not in os.environ:
    os.environ["AR_AUDIT"] = tempfile.mkdtemp(prefix="ar-test-audit-")
    atexit.register(shutil.rmtree, os.environ["AR_AUDIT"], ignore_errors=True)

FOLDER = Path(os.environ["AR_KEYS"])
PEOPLE = {"AR_PEOPLE": str(FOLDER / "people.toml"), "AR_PERSON_KEY": str(FOLDER / "kim" / "person.key")}
KIM = "kim"
os.environ.update(PEOPLE)
keyring_of(os.environ).make()
if not Path(PEOPLE["AR_PEOPLE"]).exists():
    _kim = Named(name=KIM, role=PersonRole.ADMIN, key=people_of(os.environ).make_key())
    Path(PEOPLE["AR_PEOPLE"]).write_text(with_person("", _kim))


@dataclass
class Ring:
    """`ports.Keyring` in memory."""

    own: dict[Role, Ed25519PrivateKey]
    trusted: dict[Role, TrustedKey]
    place: str = "the keyring of this test"

    def check(self, *roles: Role) -> None:
        if not {*roles} <= {*self.own}:
            raise KeyUnusable("no such key")

    def sign(self, role: Role, statement: bytes) -> Signed:
        self.check(role)
        return Signed(trusted_key(self.own[role], datetime.now(UTC)).id, self.own[role].sign(statement))

    def is_signed(self, role: Role, key_id: str, statement: bytes, signature: bytes) -> bool | None:
        known = self.trusted.get(role)
        return is_signed(known.raw, statement, signature) if known and known.id == key_id else None


def a_ring() -> Ring:
    """A key of every role."""
    own = {role: new_key() for role in Role}
    return Ring(own, {role: trusted_key(key, datetime.now(UTC)) for role, key in own.items()})


class Everybody:
    """`ports.People` in memory: who is not named otherwise is an admin with a key of their own."""

    place = "the people of this test"

    def __init__(self, **roles: PersonRole) -> None:
        self.roles, self.keys = roles, {}

    def check(self) -> None:
        """It can be read."""

    def key(self, name: str) -> Ed25519PrivateKey:
        return self.keys.setdefault(name, new_key())

    def person(self, name: str) -> Person:
        return Person(name, self.roles.get(name, PersonRole.ADMIN), key_id_of(public_of(self.key(name))))

    def everybody(self) -> list[Person]:
        return [self.person(name) for name in list(self.keys)]

    def by_key(self, key_id: str) -> Person | None:
        return next((each for each in self.everybody() if each.key_id == key_id), None)

    def is_signed(self, key_id: str, statement: bytes, signature: bytes) -> bool:
        person = self.by_key(key_id)
        return person is not None and is_signed(public_of(self.key(person.name)), statement, signature)

    def sign(self, decision: Decision, by: str, statement: bytes) -> Signed:
        no = refusal(self.person(by), decision, self.everybody())
        if no:
            raise NotAllowed(no)
        return Signed(self.person(by).key_id, self.key(by).sign(statement))


SEALS = Seals(keyring_of(os.environ), people=Everybody())
