"""Whether a Redis may be worked with: who comes in, who can listen, and whether it keeps what it is given.

Where anything here is red nobody starts (`ar_workers/posture.py`), and `arctl doctor` shows the same. What a server does not tell, as
managed ones may not, is a warning. Only INFO is asked for: CONFIG is forbidden by those, and to our users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

from ..domain.addresses import Kind, is_near, parse_address, with_login
from ..domain.checkups import Check, ok, red, warn
from ..domain.errors import LedgerUnavailable
from .clients import connect, infos, unavailable_if_away

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..domain.addresses import Address

_USERS = "`arctl redis-acl` prints a user for each role, and ends `default`"
_UNTOLD = "cannot be told: this server does not say"
_ASK = "make sure of it with whoever runs the server"


def posture(url: str, variable: str, *, is_ledger: bool) -> Iterator[Check]:
    """What the address says, and then what its servers do. Raises LedgerUnavailable at the latter, if they are away.

    A server that is the broker alone may lose and evict: the sweep rings again.
    """
    address = parse_address(url)
    far = _far(address.hosts)
    if far:
        yield from _on_the_way(address, variable, far)
    servers, places = _looked_at(url, address)
    if not far and (far := _far(places)):
        yield from _on_the_way(address, variable, far)
    if far:
        yield _closed(url, far)
    else:
        yield ok("redis login", f"{variable} leads to this machine alone")
    if is_ledger:
        yield from keeping(servers)


def keeping(servers: Sequence[dict[str, Any]] | None) -> Iterator[Check]:
    """By INFO of each server; None where that is forbidden."""
    if servers is None:
        yield warn("redis info", "is forbidden to us: whether it appends and evicts cannot be told", _ASK)
    for info in servers or ():
        yield from (_appends(info), _evicts(info))


def _far(hosts: Sequence[tuple[str, int]]) -> str | None:
    """The first that is not surely this machine."""
    return next((host for host, _ in hosts if not is_near(host)), None)


def _on_the_way(address: Address, variable: str, far: str) -> Iterator[Check]:
    """Beyond this machine: a login that is nobody else's, and nobody who listens."""
    if not address.password:
        yield red("redis login", f"{variable} has no password, and {far} is not this machine", _USERS)
    elif address.user in {None, "default"}:
        yield red("redis login", f"{variable} signs in as `default`, who may do everything on {far}", _USERS)
    else:
        yield ok("redis login", f"{variable} signs in as {address.user}")
    if not address.is_tls:
        yield red("redis tls", f"{variable} has no TLS, and {far} is not this machine: others read along", "use `rediss`")
    elif not address.is_checked:
        yield red("redis tls", f"{variable} takes any certificate for that of {far}", "leave out `ssl_cert_reqs` and `ssl_check_hostname`")
    else:
        yield ok("redis tls", f"{far} must have a certificate of its name")


def _closed(url: str, far: str) -> Check:
    """Whether it lets in who has no login: a user without a password takes any, so that ours says nothing."""
    try:
        with connect(with_login(url, None, None), patience=0) as stranger:
            stranger.ping()
    except (redis.RedisError, LedgerUnavailable, OSError):
        return ok("redis strangers", "are not let in")
    return red("redis strangers", f"{far} lets in whoever reaches it, without a password", _USERS)


def _looked_at(url: str, address: Address) -> tuple[list[dict[str, Any]] | None, Sequence[tuple[str, int]]]:
    """INFO of every server, or None where that is forbidden; and where sentinels or a cluster lead."""
    with unavailable_if_away(), connect(url, patience=1) as client:
        try:
            servers = infos(client)
        except redis.exceptions.NoPermissionError:
            servers = None
        asked: Any = client
        if address.kind is Kind.CLUSTER:
            return servers, [(str(node.host), int(node.port)) for node in asked.get_nodes()]
        if address.kind is Kind.SENTINEL:
            return servers, [asked.connection_pool.get_master_address()]
        return servers, ()


def _appends(info: dict[str, Any]) -> Check:
    found = info.get("aof_enabled")
    if found is None:
        return warn("redis appendonly", _UNTOLD, _ASK)
    if str(found) == "1":
        return ok("redis appendonly", "yes")
    return red("redis appendonly", "no: a restart would forget accepted events", "set `appendonly yes`")


def _evicts(info: dict[str, Any]) -> Check:
    policy = info.get("maxmemory_policy")
    if policy is None:
        return warn("redis maxmemory-policy", _UNTOLD, _ASK)
    if policy == "noeviction":
        return ok("redis maxmemory-policy", policy)
    return red("redis maxmemory-policy", f"{policy}: rows would be dropped when it is full", "set `maxmemory-policy noeviction`")
