"""A look at an address that can only be posted to: its name resolves, and TLS with it is good. Nothing is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..domain.checkups import Check, red, warn
from ..domain.errors import Denied, NotSent

if TYPE_CHECKING:
    from .egress import Egress


def dialled(name: str, url: str, egress: Egress) -> Check:
    """Of the URL only its host is shown: the rest is usually the secret. Never better than a warning, for nothing was proven."""
    host = urlsplit(url).hostname or "the address"
    try:
        egress.reach(url)
    except Denied as error:
        return red(name, f"{host}: {error}", "check the URL")
    except NotSent as error:
        return red(name, f"{host}: {error}", "check the name, the certificate, and the firewall's rules")
    return warn(name, f"{host} is reached by TLS; not testable without telling somebody: whether its key is good")
