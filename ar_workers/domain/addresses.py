"""Where a Redis is: one server, a cluster, or the primary that sentinels name."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit


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


def parse_address(url: str) -> Address:
    """One of

    - `redis://[user:password@]host[:port][/db]`, or `unix://` with a path
    - `redis+cluster://[user:password@]host[:port][,host[:port]...]`
    - `redis+sentinel://[user:password@]host[:port][,host[:port]...]/SERVICE[/db][?sentinel_password=...]`

    with `rediss` for TLS. Raises ValueError, which repeats nothing of a password.
    """
    if url.startswith("unix://"):
        return Address(url=url, kind=Kind.SINGLE, hosts=())
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"begins with none of {', '.join(f'{scheme}://' for scheme in _SCHEMES)}, unix://")
    kind, is_tls = _SCHEMES[parts.scheme]
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    service, db = _path(kind, parts.path)
    return Address(
        url=url,
        kind=kind,
        hosts=tuple(_host(each, _PORTS[kind]) for each in hosts.split(",")),
        service=service,
        db=db,
        user=unquote(user) or None,
        password=unquote(password) or None,
        sentinel_password=next(iter(parse_qs(parts.query).get("sentinel_password", [])), None),
        is_tls=is_tls,
    )


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
