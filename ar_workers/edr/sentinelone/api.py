"""SentinelOne's HTTP: the token, the envelope, the pages, and the one way in which an order names its target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from ...domain.endpoints import OS
from ...domain.errors import Denied, EndpointNotFound, VendorFault
from ...domain.hosts import at_vendor
from ...domain.text import whole
from ...http import Dialect, HttpSession

ROOT = "/web/api/v2.1/"
CONSOLES = ".sentinelone.net"
_PAGE = 1000
_ID = re.compile(r"[0-9]{1,20}")

VendorId = Annotated[str, StringConstraints(pattern=rf"^{_ID.pattern}$")]
Row = dict[str, Any]


def _console(url: str) -> str:
    return at_vendor(url, lambda host: host.endswith(CONSOLES), f"must be https:// and a console that ends in {CONSOLES}")


class Config(BaseModel):
    """One customer at one console. The token's role must view endpoints, groups, threats, tasks and scripts, and may
    disconnect and connect, mitigate, edit the blocklist, manage threat intelligence and run action scripts.

    `scope` is where bans go and whose endpoints count: a token may see more customers than this one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_console)] = Field(description="The address of the console.")
    api_token: SecretStr = Field(description="Expires on a date that was set when it was made; nothing renews it.")
    scope: Literal["tenant", "account", "site"] = Field(description="Where bans go and whose endpoints count.")
    account_id: VendorId | None = Field(None, description="For the scope `account`. The ban of a domain needs it whatever the scope.")
    site_id: VendorId | None = Field(None, description="For the scope `site`.")
    scripts: Mapping[OS, VendorId] = Field(
        {}, description="OS -> id in the RemoteOps library of the script for it (`respond.ps1`, `respond.sh`)."
    )
    result_hosts: tuple[str, ...] = Field(
        ("sentinelone.net", "amazonaws.com"),
        description="Domains that a script's results may be downloaded from. Which one the vendor uses is not documented.",
    )
    star_alerts: bool = Field(default=False, description="Whether polling reads STAR alerts as well. The token's role must view them.")
    ca_file: Path | None = None
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0

    @model_validator(mode="after")
    def _has_its_scope(self) -> Self:
        if self.scope != "tenant" and not getattr(self, f"{self.scope}_id"):
            raise ValueError(f"scope {self.scope} needs {self.scope}_id")
        return self

    @property
    def scope_filter(self) -> Row:
        """The scope as a body names it: exactly one key."""
        match self.scope:
            case "account":
                return {"accountIds": [self.account_id]}
            case "site":
                return {"siteIds": [self.site_id]}
            case _:
                return {"tenant": True}

    @property
    def scope_query(self) -> dict[str, str]:
        """The scope as a query names it; a list of endpoints or groups knows no `tenant`."""
        return {name: each[0] for name, each in self.scope_filter.items() if name != "tenant"}


def _errors(body: Any) -> list[Row]:
    """The envelope's errors; the vendor's own examples hold empty ones, which say nothing."""
    found = body.get("errors") if isinstance(body, dict) else None
    return [each for each in found if isinstance(each, dict) and each] if isinstance(found, list) else []


def _explain(body: Any) -> tuple[str, str]:
    first = next(iter(_errors(body)), {})
    words = [str(first[name]) for name in ("title", "detail") if first.get(name)]
    return str(first.get("code") or ""), ": ".join(words)


@dataclass(frozen=True)
class Page:
    """A reply's envelope, with null and missing parts made empty."""

    data: Any
    total: int
    cursor: str


class ConsoleAPI:
    """Calls to one console with its static token."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = HttpSession(
            config.base_url, Dialect(explain=_explain), ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
        )

    def get(self, path: str, **query: Any) -> Page:
        """A read of one page."""
        return self._call("GET", path, query=query)

    def rows(self, path: str, **query: Any) -> Iterator[Row]:
        """Every row of a list, by its cursor. Raises VendorFault if the list ends before its own total."""
        cursor: Row = {}
        seen = 0
        while True:
            page = self.get(path, **{"limit": _PAGE, **query, **cursor})
            rows = page.data if isinstance(page.data, list) else []
            yield from (row for row in rows if isinstance(row, dict))
            seen += len(rows)
            if seen < page.total and not (rows and page.cursor):
                raise VendorFault(f"GET {ROOT}{path}: the list ended at {seen} of {page.total}")
            if not page.cursor or not rows:
                return
            cursor = {"cursor": page.cursor}

    def post(self, path: str, body: Row) -> Any:
        """Anything with a body, sent once; returns the envelope's `data`."""
        return self._call("POST", path, body=body).data

    def delete(self, path: str, body: Row) -> int:
        """A deletion, which names what it deletes in a body. Returns how many there were."""
        answer = self._call("DELETE", path, body=body).data
        return int(answer.get("affected") or 0) if isinstance(answer, dict) else 0

    def act(self, path: str, target: str, data: Row | None = None) -> Row:
        """An order for exactly one target, whose id is the whole filter: an empty or misspelt filter hits everyone in scope.

        Returns the answer, whose `affected` is 0 (nothing happened) or 1. Raises VendorFault for any other number.
        """
        answer = self.post(path, {"filter": {"ids": [one_id(target)]}, "data": data or {}})
        affected = answer.get("affected") if isinstance(answer, dict) else None
        if affected not in {0, 1}:
            raise VendorFault(f"POST {ROOT}{path}: affected {affected!r}, and one target was named")
        return dict(answer)

    def _call(self, method: str, path: str, **parts: Any) -> Page:
        headers = {"Authorization": f"ApiToken {self._config.api_token.get_secret_value()}"}
        body = self._http.call(method, ROOT + path, headers=headers, **parts).body
        code, words = _explain(body)
        if code or words:
            raise _refusal(whole(f"{method} {ROOT}{path}: {code} {words}"), code)
        envelope = body if isinstance(body, dict) else {}
        pagination = envelope.get("pagination") or {}
        return Page(envelope.get("data"), int(pagination.get("totalItems") or 0), str(pagination.get("nextCursor") or ""))


def one_id(text: str) -> str:
    """An id as the vendor writes them. Raises EndpointNotFound for anything else: nothing can have such an id."""
    if not _ID.fullmatch(text):
        raise EndpointNotFound(f"{text!r} is not an id of SentinelOne's")
    return text


def _refusal(message: str, code: str) -> Denied | VendorFault:
    """A success that carries an error is one; the first three digits of its code are a status."""
    return VendorFault(message, code=code) if code.startswith(("429", "5")) else Denied(message, code=code)
