"""What a vendor's documentation names of each route, and what a request says beyond that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .server import Request

#: Those by which a call is somebody's, or another one than it seems. All others are nobody's business.
HEADERS_THAT_MATTER = frozenset(
    {
        *("authorization", "proxy-authorization", "cookie", "x-auth-token", "x-api-key"),
        *("x-xdr-auth-id", "x-xdr-nonce", "x-xdr-timestamp", "x-http-method-override", "x-cs-username", "x-cs-useruuid"),
    }
)
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Names:
    """The query parameters and the fields of the body that the documentation of one route names, and where it stands.

    A field within another is written behind it and a point, in an object as in a list of objects. A star at the end
    stands for whatever names come there.
    """

    source: str
    query: frozenset[str] = frozenset()
    body: frozenset[str] = frozenset()


def documented_in(source: str) -> Callable[..., Names]:
    """What makes the names of one source's routes out of words with spaces between them."""
    return partial(_names, source)


def _names(source: str, *, query: str = "", body: str = "", within: str = "") -> Names:
    """`within` is the one field that holds all others."""
    fields = frozenset({within, *(f"{within}.{name}" for name in body.split())} if within else body.split())
    return Names(source=source, query=frozenset(query.split()), body=fields)


@dataclass(frozen=True, kw_only=True)
class Documentation:
    """One vendor's: its routes as (method, path as the twin's table writes it), and how its calls say whose they are."""

    routes: Mapping[tuple[str, str], Names]
    headers: frozenset[str]
    #: The word before the secret in `Authorization`, in the case in which the documentation has it.
    scheme: str = ""

    def strangers(self, request: Request, path: str) -> list[str]:
        """What a request says that is not documented for its route, in words."""
        names = self.routes[request.method, path]
        found = [f"query {name}" for name in request.query if not _is_among(name, names.query)]
        found += [f"field {name}" for name in _fields_of(request) if not _is_among(name, names.body)]
        found += [f"header {name}" for name in request.headers if name in HEADERS_THAT_MATTER - self.headers]
        said = request.headers.get("authorization", self.scheme)
        return found if said.startswith(self.scheme) else [*found, f"scheme {said.partition(' ')[0]}"]


def _is_among(name: str, documented: Iterable[str]) -> bool:
    return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in documented)


def _fields_of(request: Request) -> list[str]:
    """Every name in the body, once; a body that is neither JSON nor a form has none."""
    if _FORM in request.content_type:
        return list(request.form())
    try:
        document = json.loads(request.body)
    except ValueError:
        return []
    return list(dict.fromkeys(_paths(document, "")))


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _paths(one, path)
    elif isinstance(value, dict):
        for name, one in value.items():
            inner = f"{path}.{name}" if path else str(name)
            yield inner
            yield from _paths(one, inner)
