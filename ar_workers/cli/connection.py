"""Which Redis the command speaks to: the one in AR_REDIS_URL, or the one that `arctl up` left word of."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis

from ..domain.errors import LedgerUnavailable
from ..domain.redis_users import User
from ..ledger.clients import connect
from ..ledger.noted import NAME as PAUSED
from ..ledger.redis import RedisLedger
from ..seals import seals_of
from .logins import url_of
from .private import private_file, private_folder

RUN_FILE = "run.json"


def home() -> Path:
    """Where one machine's state is kept: AR_HOME, or `~/.ar_workers`."""
    return Path(os.environ.get("AR_HOME") or Path.home() / ".ar_workers")


def known_url() -> str | None:
    """The address of the Redis that was named or left word of, whether it answers or not; with the login of `arctl` where it wants one."""
    url = os.environ.get("AR_REDIS_URL") or _left_word(home() / RUN_FILE)
    return url_of(url, User.ARCTL, home()) if url else None


def redis_url() -> str:
    """The address of a Redis that answers. Raises LedgerUnavailable."""
    given = os.environ.get("AR_REDIS_URL")
    url = known_url()
    if not url:
        message = "no Redis is known"
        raise LedgerUnavailable(message)
    try:
        with connect(url, patience=0) as client:
            client.ping()
    except (redis.RedisError, LedgerUnavailable, OSError, ValueError) as error:
        where = "AR_REDIS_URL" if given else "the Redis of `arctl up`"
        message = f"{where} does not answer ({type(error).__name__})"
        raise LedgerUnavailable(message) from None
    return url


def open_ledger() -> RedisLedger:
    """The ledger at `redis_url`."""
    return RedisLedger(connect(redis_url()), seals=seals_of(os.environ), notes_pauses_in=home() / PAUSED)


def leave_word(folder: Path, url: str, flower: str) -> Path:
    """Tell later commands with this AR_HOME where Redis and Flower are."""
    path = private_folder(folder) / RUN_FILE
    with private_file(path, "w") as word:
        word.write(json.dumps({"redis_url": url, "flower": flower, "pid": os.getpid()}))
    return path


def without_login(url: str) -> str:
    """The address as it may be shown: no user, no password, and nothing of a query, which may name one."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _left_word(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text())["redis_url"])
    except (OSError, ValueError, KeyError):
        return None
