"""How Flower is started: it only looks, and only whoever knows its login looks."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.errors import ARError
from .private import private_file

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Flower's own variable: `user:password`. On a command line everybody on the machine could read it.
LOGIN = "FLOWER_BASIC_AUTH"
LOGIN_FILE = "flower.password"
SETTINGS = Path(__file__).with_name("flower_settings.py")


def flower(port: int) -> tuple[str, ...]:
    """Flower's command. It only looks: its API would stop a worker or a queue for whoever reaches it. And it runs no `flowerconfig.py`
    that lies in the current folder.
    """
    return ("flower", "--address=127.0.0.1", f"--port={port}", "--logging=warning", "--read_only", f"--conf={SETTINGS}")


def login_of(folder: Path, environment: Mapping[str, str]) -> str:
    """`user:password`: the operator's own, or that of the folder's file, which is made where there is none. Raises ARError for a
    file that has none in it.
    """
    return environment.get(LOGIN) or _kept(folder / LOGIN_FILE)


def where_login_is(folder: Path, environment: Mapping[str, str]) -> str:
    """For people, who are shown no password."""
    return LOGIN if environment.get(LOGIN) else str(folder / LOGIN_FILE)


def _kept(path: Path) -> str:
    if not path.exists():
        with private_file(path, "w") as file:
            file.write(f"arctl:{secrets.token_urlsafe(24)}\n")
    try:
        path.chmod(0o600)
        login = path.read_text().strip()
    except (OSError, ValueError) as error:
        raise ARError(f"{path} cannot be read ({type(error).__name__}): remove it, and a new one is made") from None
    user, _, password = login.partition(":")
    # Flower takes what stands between commas for logins of their own.
    if not user or not password or len(login.split()) > 1 or "," in login:
        raise ARError(f"{path} is not user:password on one line without spaces and commas: mend it, or remove it, and a new one is made")
    return login
