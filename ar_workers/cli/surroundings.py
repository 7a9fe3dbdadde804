"""What each process of `arctl up` gets of the environment: its own login at Redis, the keys of its role, and no secret of another's.

They run as one user of the operating system, who may read every file in AR_HOME: this keeps a secret out of a process's memory, and out of
what that one logs or gives away, not out of its reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.redis_users import TAKES, User
from ..domain.seals import Role
from ..seals import keys_folder
from ..seals.folder import NAME as TRUSTED
from ..tasks import SEALS
from .flower import LOGIN
from .logins import url_of
from .private import private_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Where a server is.
_URLS = ("AR_REDIS_URL", "AR_BROKER_URL")
#: What every process needs and what is no secret. Workers get all the rest, too: customers' files name its variables.
_PLAIN = frozenset({
    "AR_HOME", "AR_INSECURE_DEV", "AR_POLL_SECONDS", "AR_RECHECK_SECONDS", "AR_TRANSPORT", "HOME", "LANG", "PATH", "SSL_CERT_DIR",
    "SSL_CERT_FILE", "TMPDIR", "TZ", "VIRTUAL_ENV", *_URLS,
})  # fmt: skip
_PLAIN_BEGINNINGS = ("COVERAGE", "DYLD_", "LC_", "LD_", "PYTHON")


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Without any secret but the address of the server."""
    return {name: value for name, value in environment.items() if name in _PLAIN or name.startswith(_PLAIN_BEGINNINGS)}


def of_worker(queues: str, environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """A worker on these queues: all but Flower's password, and of the keys only those of its role."""
    user = user_of(queues)
    roles = {role for queue, role in SEALS.items() if queue in queues.split(",")}
    keys = _keys(private_folder(folder / "keys.of") / user, keys_folder(environment), roles)
    rest = {name: value for name, value in environment.items() if name != LOGIN}
    return {**rest, **_signed_in(user, rest, folder), "AR_KEYS": str(keys)}


def of_beat(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """It only rings by the clock."""
    return {**plain(environment), **_signed_in(User.BEAT, environment, folder)}


def of_flower(environment: Mapping[str, str], folder: Path, login: str) -> dict[str, str]:
    """It only looks, and what it wants of the environment begins with its name."""
    settings = {name: value for name, value in environment.items() if name.startswith("FLOWER_")}
    return {**plain(environment), **settings, **_signed_in(User.FLOWER, environment, folder), LOGIN: login}


def user_of(queues: str) -> User:
    """Who takes what is on them: one and the same."""
    (user,) = {TAKES[queue] for queue in TAKES if queue in queues.split(",")}
    return user


def _signed_in(user: User, environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {name: url_of(environment[name], user, folder) for name in _URLS if environment.get(name)}


def _keys(folder: Path, all_keys: Path, roles: set[Role]) -> Path:
    """A folder that names those public and private keys, so that a key that is rotated counts at once."""
    private_folder(folder)
    wanted = {TRUSTED, *(f"{role}.key" for role in roles)}
    for name in {TRUSTED, *(f"{role}.key" for role in Role)}:
        link = folder / name
        link.unlink(missing_ok=True)
        if name in wanted:
            link.symlink_to(all_keys.absolute() / name)
    return folder
