"""Where a customer's credentials may be sent: to the vendor's own hosts, and on loopback to the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def is_loopback(url: str) -> bool:
    """Whether it never leaves this machine."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK


def is_bare(parts: SplitResult) -> bool:
    """Whether nothing follows the host and its port, and nobody's name stands before them."""
    return parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username or parts.password)


def at_vendor(url: str, is_theirs: Callable[[str], bool], rule: str) -> str:
    """The same address, if it is https on a host of the vendor's, or loopback. Raises ValueError with the rule."""
    parts = urlsplit(url)
    is_vendors = parts.scheme == "https" and is_theirs(parts.hostname or "") and is_bare(parts) and parts.port is None
    if not is_vendors and not is_loopback(url):
        raise ValueError(rule)
    return url


def at_one_of(url: str, hosts: frozenset[str]) -> str:
    """The same of a vendor whose hosts are all known."""
    return at_vendor(url, hosts.__contains__, f"must be https:// and one of {', '.join(sorted(hosts))}")
