"""The passwords of Redis's users: made once, and kept in a file that its owner alone reads, in the form of a `.env`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..domain.addresses import parse_address, with_login
from ..domain.errors import ARError
from ..domain.redis_users import User
from .private import private_file

if TYPE_CHECKING:
    from pathlib import Path

    Logins = dict[User, str]

#: In AR_HOME.
NAME = "redis.env"
_PREFIX = "AR_REDIS_PASSWORD_"
_BYTES = 32


def variable(user: User) -> str:
    """What the password is called in the file."""
    return _PREFIX + user.upper()


def kept(path: Path) -> Logins:
    """Those of the file; none if there is no file. Raises ARError for one that cannot be read, and for an empty password."""
    try:
        path.chmod(0o600)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ARError(f"{path} cannot be read ({type(error).__name__})") from None
    lines = (line.partition("=") for line in text.splitlines() if line.startswith(_PREFIX))
    found = {name.strip(): password.strip().strip("\"'") for name, _, password in lines}
    empty = [name for name, password in found.items() if not password]
    if empty:
        raise ARError(f"{path}: {', '.join(empty)} is empty: remove the line, and a new one is made")
    return {user: found[variable(user)] for user in User if variable(user) in found}


def made(path: Path) -> Logins:
    """Those of the file, and new ones for whoever has none in it, which are written there."""
    before = kept(path)
    fresh = {user: secrets.token_urlsafe(_BYTES) for user in User if user not in before}
    if fresh:
        with private_file(path, "a+b") as file:
            file.seek(0)
            ends_open = not (file.read() or b"\n").endswith(b"\n")
            file.write(b"\n" if ends_open else b"")
            file.writelines(f"{variable(user)}={password}\n".encode() for user, password in fresh.items())
    return before | fresh


def url_of(url: str, user: User, folder: Path) -> str:
    """The address by which this user signs in. One that names `arctl` and no password stands for all users of the folder's file; any
    other is everybody's as it is. Raises ARError if the file has no password of the user.
    """
    if not wants_password(url):
        return url
    logins = kept(folder / NAME)
    if user not in logins:
        raise ARError(f"AR_REDIS_URL names {User.ARCTL} and no password, and {folder / NAME} has none of {user}: `arctl redis-acl --make`")
    return with_login(url, user, logins[user])


def wants_password(url: str) -> bool:
    """Whether the address names `arctl` and leaves the password to the file."""
    try:
        address = parse_address(url)
    except ValueError:
        return False
    return address.user == User.ARCTL and not address.password
