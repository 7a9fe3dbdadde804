"""Defender's HTTP: the token of another host, OData lists, the vendor's own error codes, results behind links."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from urllib3.filepost import encode_multipart_formdata

from ...domain.errors import Denied, EndpointNotFound, VendorFault
from ...domain.hosts import at_one_of, is_loopback
from ...domain.text import LONGEST, Identifier, shortened, whole
from ...http import Dialect, HttpSession
from ..tokens import Token

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORLDWIDE = ("api.securitycenter.microsoft.com", "api.security.microsoft.com", "api.securitycenter.windows.com")
_REGIONS = tuple(f"{each}.api.security.microsoft.com" for each in ("us", "eu", "uk", "au", "swa", "ina"))
_GOVERNMENT = ("api-gcc.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us")
HOSTS = frozenset({*_WORLDWIDE, *_REGIONS, *_GOVERNMENT})
LOGINS = frozenset({"login.microsoftonline.com", "login.microsoftonline.us"})
#: Where results of live response are kept; links to anywhere else are not followed.
_STORES = (".core.windows.net", ".core.usgovcloudapi.net")
#: What the API says when the same kind of action is open on the endpoint.
OPEN_ALREADY = "ActiveRequestAlreadyExists"
#: Of a JWT: header, claims, signature.
_TOKEN_PARTS = 3
#: Pages of a list are as long as the vendor makes them; so many of them are no list any more.
_MOST_PAGES = 1000


class Config(BaseModel):
    """One Entra tenant's app. `login_url` is login.microsoftonline.us for GCC High and DoD.

    `group_by` tells what a remediate group is: a machine `tag`, which anybody may set on any machine and which the API
    finds by itself, or the `rbac` machine group, of which a machine has exactly one and which is found only by
    reading all machines.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(lambda url: at_one_of(url, HOSTS))] = Field(
        "https://api.securitycenter.microsoft.com", description="The API: the worldwide one, your region's, or the government cloud's."
    )
    login_url: Annotated[str, AfterValidator(lambda url: at_one_of(url, LOGINS))] = Field(
        "https://login.microsoftonline.com", description="Where tokens come from; `https://login.microsoftonline.us` for GCC High and DoD."
    )
    tenant_id: Identifier = Field(description="The Entra tenant's id; no secret.")
    client_id: SecretStr = Field(description="The app's id.")
    client_secret: SecretStr = Field(description="The app's client secret.")
    group_by: Literal["tag", "rbac"] = Field(
        "tag",
        description="What the names in `remediate_groups` mean: a machine tag, which anybody may set on any machine, or the RBAC machine "
        "group, of which a machine has exactly one and which is found only by reading all machines.",
    )
    ca_file: Path | None = None
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0

    @property
    def scope(self) -> str:
        """What the token is for: one name worldwide, the host itself in the government's clouds (unverified there)."""
        host = urlsplit(self.base_url).hostname
        return f"https://{host if host in _GOVERNMENT else _WORLDWIDE[0]}/.default"


def _explain(body: Any) -> tuple[str, str]:
    """`{error: {code, message, target}}`, where target is the correlation id; the login says `{error, error_description}`."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        target = f" [{shortened(str(error['target']), LONGEST)}]" if error.get("target") else ""
        return str(error.get("code") or ""), whole(f"{error.get('code')}: {error.get('message')}") + target
    return (str(error), whole(f"{error}: {body.get('error_description')}")) if isinstance(error, str) else ("", "")


_DIALECT = Dialect(explain=_explain)


class DefenderAPI:
    """Calls with a token that is fetched when needed and shared by all threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = self._session(config.base_url)
        self._login = self._session(config.login_url)
        self._token = Token(self._fetch)

    def _session(self, url: str) -> HttpSession:
        config = self._config
        return HttpSession(url, _DIALECT, ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout)

    def roles(self) -> frozenset[str]:
        """The app's roles as its own token tells them; none where the token is not readable. For diagnosis, never for a decision."""
        parts = self._token.value().get_secret_value().split(".")
        if len(parts) != _TOKEN_PARTS:
            return frozenset()
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except ValueError:
            return frozenset()
        found = claims.get("roles") if isinstance(claims, dict) else None
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """One object. Raises EndpointNotFound for any 404: only machines are asked for by their id alone."""
        try:
            return self._call("GET", path, query=query)
        except Denied as error:
            if is_not_found(error):
                raise EndpointNotFound(str(error), code=error.code) from None
            raise

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for an effect, once."""
        return self._call("POST", path, body=body)

    def delete(self, path: str) -> None:
        """Once. What is gone already is no failure."""
        gone = frozenset({404})
        self._token.carried_by(lambda bearer: self._http.call("DELETE", path, headers=dict(bearer), expects=gone))

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list. Some lists answer 404 when they are empty. Raises VendorFault if it breaks off."""
        for _ in range(_MOST_PAGES):
            try:
                page = self._call("GET", path, query=query)
            except Denied as error:
                if is_not_found(error):
                    return
                raise
            rows, following = page.get("value"), page.get("@odata.nextLink")
            if not isinstance(rows, list) or (following and not rows):
                raise VendorFault(f"GET {path}: the list broke off")
            yield from (row for row in rows if isinstance(row, dict))
            if not following:
                return
            # The link may name another of the vendor's hosts; the token goes only to the configured one.
            query = dict(parse_qsl(urlsplit(str(following)).query))
        raise VendorFault(f"GET {path}: the list does not end")

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> None:
        """Put a file into the library."""
        body, content_type = encode_multipart_formdata({**fields, "file": (name, content, "application/octet-stream")})
        self._call("POST", path, form=body, headers={"Content-Type": content_type})

    def download(self, link: str) -> dict[str, Any]:
        """The JSON behind a signed link. The signature is the permission, so no token goes along."""
        parts = urlsplit(link)
        is_store = parts.scheme == "https" and f".{parts.hostname}".endswith(_STORES) and parts.port is None
        is_pretend = is_loopback(link) and is_loopback(self._config.base_url)
        if not is_store and not is_pretend:
            raise Denied("the link to the result does not lead to the vendor's store")
        reply = self._session(f"{parts.scheme}://{parts.netloc}").call("GET", parts.path, query=dict(parse_qsl(parts.query)))
        return _object("GET result", reply.body)

    def _call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **parts: Any) -> dict[str, Any]:
        reply = self._token.carried_by(lambda bearer: self._http.call(method, path, headers={**(headers or {}), **bearer}, **parts))
        return _object(f"{method} {path}", reply.body)

    def _fetch(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._config.client_id.get_secret_value(),
            "client_secret": self._config.client_secret.get_secret_value(),
            "scope": self._config.scope,
        }
        reply = self._login.call("POST", f"/{self._config.tenant_id}/oauth2/v2.0/token", form=form)
        body = _object("token", reply.body)
        token, life = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not str(life).isdigit():
            raise VendorFault("token: none in the reply")
        return token, float(str(life))


def _object(what: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise VendorFault(f"{what}: the reply is no object")
    return body


def is_not_found(error: Denied) -> bool:
    """Whether the vendor says that there is nothing: as NotFound, as ResourceNotFound, or as a bare 404."""
    return error.code in {"NotFound", "ResourceNotFound", "404"}
