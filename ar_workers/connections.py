"""Connections of `requests` that ask, once they stand, whether what is to be sent is still this worker's to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .domain import leases
from .domain.errors import NotSent

if TYPE_CHECKING:
    from pathlib import Path


def a_session(ca_file: Path | None) -> requests.Session:
    """Without proxies; a request under a lease that is over raises NotSent."""
    session = requests.Session()
    for scheme in _POOLS:
        session.mount(f"{scheme}://", _Adapter())
    session.trust_env = False
    session.headers["User-Agent"] = "ar_workers"
    if ca_file:
        session.verify = str(ca_file)
    return session


class _Asking(HTTPConnection):
    def request(self, *arguments: Any, **options: Any) -> None:
        if leases.is_over():
            raise NotSent(leases.LATE)
        super().request(*arguments, **options)


class _AskingSecurely(_Asking, HTTPSConnection):
    """The same by TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Asking


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _AskingSecurely


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS
