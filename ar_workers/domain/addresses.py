"""Where a Redis is: one server, a cluster, or the primary that sentinels name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit


class Kind(StrEnum):
    """What stands at an address."""

    SINGLE = "single"
    CLUSTER = "cluster"
    SENTINEL = "sentinel"


_SCHEMES = {
    "redis": (Kind.SINGLE, False),
    "rediss": (Kind.SINGLE, True),
    "redis+cluster": (Kind.CLUSTER, False),
    "rediss+cluster": (Kind.CLUSTER, True),
    "redis+sentinel": (Kind.SENTINEL, False),
    "rediss+sentinel": (Kind.SENTINEL, True),
}
_PORTS = {Kind.SINGLE: 6379, Kind.CLUSTER: 6379, Kind.SENTINEL: 26379}
_TLS = "ssl_"


@dataclass(frozen=True)
class Address:
    """A parsed address. `url` is what was written; a password shows in no repr."""

    url: str = field(repr=False)
    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    service: str = ""
    db: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    is_tls: bool = False
    #: What the query says of TLS, in redis-py's words: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, ...
    tls: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_checked(self) -> bool:
        """Whether by TLS, and only to who has a certificate of that name: else the password goes to whoever answers."""
        lax = str(self.tls.get("ssl_cert_reqs", "required")).lower().removeprefix("cert_") != "required"
        return self.is_tls and not lax and self.tls.get("ssl_check_hostname", True) is not False


def is_near(host: str) -> bool:
    """Whether the host can be nothing but this machine. A name may lead anywhere: only `localhost` does not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def parse_address(url: str) -> Address:
    """One of

    - `redis://[user:password@]host[:port][/db]`, or `unix://` with a path
    - `redis+cluster://[user:password@]host[:port][,host[:port]...]`
    - `redis+sentinel://[user:password@]host[:port][,host[:port]...]/SERVICE[/db][?sentinel_password=...]`

    with `rediss` for TLS; what a query says of it (`?ssl_ca_certs=/etc/ssl/ours.pem`) counts for each. Raises ValueError, which repeats
    nothing of a password.
    """
    parts = urlsplit(url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    user, password = unquote(user) or asked.get("username", ""), unquote(password) or asked.get("password", "")
    if parts.scheme == "unix":
        return Address(url=url, kind=Kind.SINGLE, hosts=(), user=user or None, password=password or None)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"begins with none of {', '.join(f'{scheme}://' for scheme in _SCHEMES)}, unix://")
    kind, is_tls = _SCHEMES[parts.scheme]
    service, db = _path(kind, parts.path)
    return Address(
        url=url,
        kind=kind,
        hosts=tuple(_host(each, _PORTS[kind]) for each in hosts.split(",")),
        service=service,
        db=db,
        sentinel_password=asked.get("sentinel_password"),
        is_tls=is_tls,
        tls={name: _said(name, value) for name, value in asked.items() if name.startswith(_TLS)} if is_tls else {},
        user=user or None,
        password=password or None,
    )


def with_login(url: str, user: str | None, password: str | None) -> str:
    """The same place, by another login; by none if there is no user. Whatever login stood there is gone."""
    parts = urlsplit(url)
    who = ":".join(quote(each, safe="") for each in (user, password) if each)
    query = urlencode({name: values[0] for name, values in parse_qs(parts.query).items() if name not in {"username", "password"}})
    where = f"{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f"{parts.scheme}://{who}{'@' if who else ''}{where}{'?' if query else ''}{query}"


def _said(name: str, value: str) -> str | bool:
    return value.lower() not in {"false", "0", "no"} if name == "ssl_check_hostname" else value


def _path(kind: Kind, path: str) -> tuple[str, int]:
    names = [each for each in path.split("/") if each]
    service = ""
    if kind is Kind.SENTINEL:
        if not names:
            raise ValueError("names no service: redis+sentinel://host,host,host/SERVICE")
        service = names.pop(0)
    if len(names) > 1 or not all(each.isdecimal() for each in names):
        raise ValueError("ends with something that is no database's number")
    db = int(names[0]) if names else 0
    if kind is Kind.CLUSTER and db:
        raise ValueError("names a database: a cluster has only 0")
    return service, db


def _host(text: str, default: int) -> tuple[str, int]:
    bracketed, _, rest = text.rpartition("]")
    name, _, port = rest.partition(":") if not bracketed else (bracketed.removeprefix("["), "", rest.removeprefix(":"))
    if not port:
        port = str(default)
    if not port.isdecimal():
        raise ValueError("has a port that is no number")
    return name or "127.0.0.1", int(port)
