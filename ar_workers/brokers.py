"""The Celery settings that lead to a broker: one Redis over TCP or a socket, or the primary that sentinels name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kombu.transport import TRANSPORT_ALIASES
from redis.connection import parse_url

from .domain.addresses import Kind, parse_address
from .domain.errors import InvalidSettings

if TYPE_CHECKING:
    from .domain.addresses import Address

OPTIONS = {
    "ack_emulation": False,
    # Without these a publish on a dead socket waits for ever.
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    # A blocking pop that nobody answers is dropped after one to two of these.
    "health_check_interval": 15,
    # Who rings does not wait for a broker that is away: the sweep rings again. Workers reconnect for ever all the same.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}

# Ours takes messages in batches and survives what is no message; AR_TRANSPORT=stock is kombu's own. They stand in kombu's
# table, so that the broker keeps a name that Flower knows.
if os.environ.get("AR_TRANSPORT") != "stock":
    TRANSPORT_ALIASES |= {
        "redis": "ar_workers.transport:Transport",
        "rediss": "ar_workers.transport:Transport",
        "sentinel": "ar_workers.transport:SentinelTransport",
    }


def broker_at(url: str) -> dict[str, Any]:
    """`broker_url` and its transport's options. Raises InvalidSettings for a cluster, over which no broker works."""
    try:
        address = parse_address(url)
    except ValueError as error:
        raise InvalidSettings([f"AR_BROKER_URL or AR_REDIS_URL: {error}"]) from None
    if address.kind is Kind.CLUSTER:
        raise InvalidSettings(["AR_BROKER_URL: the ledger is a cluster, which cannot be the broker too; name one Redis or sentinels"])
    if address.kind is Kind.SENTINEL:
        return _sentinels(address)
    broker = _over_socket(url) if url.startswith("unix://") else url
    if address.is_tls:
        broker = urlsplit(url)._replace(query="").geturl()  # Flower and kombu look for TLS in different places: it stands in one
    return {"broker_url": broker, "broker_transport_options": dict(OPTIONS), "broker_use_ssl": _tls(address)}


def _tls(address: Address) -> dict[str, Any] | bool:
    """Kombu asks nobody for a certificate unless it is told to."""
    return {"ssl_cert_reqs": "required", **address.tls} if address.is_tls else False


def _over_socket(url: str) -> str:
    """Kombu's spelling of redis-py's `unix://`: it reads the login before the path, and the database as `virtual_host`."""
    try:
        found: dict[str, Any] = dict(parse_url(url))
    except ValueError:
        raise InvalidSettings(["AR_BROKER_URL or AR_REDIS_URL: what follows the socket's path is not understood"]) from None
    user, password = (quote(str(found.get(name) or ""), safe="") for name in ("username", "password"))
    login = f"{user}:{password}@" if password else ""
    return f"redis+socket://{login}{quote(str(found.get('path', '')))}?virtual_host={found.get('db', 0)}"


def _sentinels(address: Address) -> dict[str, Any]:
    """Kombu wants one URL per sentinel, and the rest as options."""
    login = f"{quote(address.user or '', safe='')}:{quote(address.password, safe='')}@" if address.password else ""
    urls = ";".join(f"sentinel://{login}{host}:{port}/{address.db}" for host, port in address.hosts)
    asking: dict[str, Any] = {name: OPTIONS[name] for name in ("socket_timeout", "socket_connect_timeout", "socket_keepalive")}
    asking |= {"ssl": address.is_tls, "password": address.sentinel_password, **address.tls}
    return {
        "broker_url": urls,
        "broker_transport_options": {**OPTIONS, "master_name": address.service, "sentinel_kwargs": asking},
        "broker_use_ssl": _tls(address),
    }
