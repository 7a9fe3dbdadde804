"""Which addresses that somebody else has given us may be dialled at all: the form of a URL, and where an address belongs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

Address = IPv4Address | IPv6Address

LONGEST_URL = 2048
_PRINTABLE = re.compile(r"[!-~]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
#: What some parser reads as an IPv4 address: a last part of digits, or of hexadecimal ones (WHATWG URL, "ends in a number").
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
#: The only part of IPv6 that is given out as public; all forms that carry an IPv4 address within lie outside it, save 6to4.
_PUBLIC_V6 = ip_network("2000::/3")
#: What `is_global` takes for public and is not: protocol assignments, the 6to4 relays, multicast, Azure's platform
#: address; and in IPv6 Teredo with its neighbours, 6to4, and documentation.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",
            "192.88.99.0/24",
            "224.0.0.0/4",
            "168.63.129.16/32",
            "2001::/23",
            "2002::/16",
            "3fff::/20",
        ),
    )
)


@dataclass(frozen=True)
class Target:
    """A URL taken apart. What follows the host is usually the secret, so it is never shown."""

    host: str
    port: int
    path: str = field(repr=False)

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"  # noqa: PLR2004 - HTTPS' own


def parsed(url: str) -> Target:
    """`url` as a Target, without asking anybody. Raises ValueError with a reason that repeats nothing of it."""
    if len(url) > LONGEST_URL or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise ValueError("must be at most 2048 printable ASCII characters (write an international name in its xn-- form)")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", 443 if parts.port is None else parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme != "https":
        raise ValueError("must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("must hold no user name and no password")
    if "#" in url:
        raise ValueError("must hold no fragment")
    _check_host(host, is_bracketed="[" in parts.netloc)
    target = Target(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    if parts.netloc.lower() not in {target.authority, f"{target.authority}:{port}"}:
        raise ValueError("is not a URL")
    return target


def _usable(url: SecretStr) -> SecretStr:
    parsed(url.get_secret_value())
    return url


#: A URL in a channel's settings: checked as far as it can be without asking anybody, and never shown.
Url = Annotated[SecretStr, AfterValidator(_usable)]


def _check_host(host: str, *, is_bracketed: bool) -> None:
    """A plain DNS name, or an address as the standards write it: what parsers disagree about is refused."""
    if is_bracketed or _NUMERIC.fullmatch(host.rpartition(".")[2]):
        try:
            address = ip_address(host)
        except ValueError:
            raise ValueError("must name its host by name, or by an address in its usual form") from None
        if isinstance(address, IPv6Address) and address.scope_id:
            raise ValueError("must hold no IPv6 zone")
    elif len(host) > 253 or not _NAME.fullmatch(host):  # noqa: PLR2004 - RFC 1035
        raise ValueError("must name its host by a plain DNS name, without a final dot")


def is_public(address: Address) -> bool:
    """Whether `address` belongs to the open Internet, and is neither ours, nor local, nor a disguise of something that is."""
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _PUBLIC_V6):
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC if network.version == address.version)
