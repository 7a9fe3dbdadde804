"""Falcon's HTTP: the token, the envelope, the vendor's own error codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ...domain.errors import Denied, EndpointNotFound, EndpointOffline, VendorFault
from ...domain.hosts import at_one_of
from ...domain.text import whole
from ...http import Dialect, HttpSession, Reply, delay_of
from ..tokens import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOUDS = frozenset(
    {
        "api.crowdstrike.com",
        "api.us-2.crowdstrike.com",
        "api.us-3.crowdstrike.com",
        "api.eu-1.crowdstrike.com",
        "api.laggar.gcw.crowdstrike.com",
        "api.us-gov-2.crowdstrike.mil",
    }
)
#: RTR: the sensor is not connected.
OFFLINE_CODE = 40401


class Config(BaseModel):
    """One tenant's API client. Scopes: hosts read/write, host groups read, IOC management read/write, RTR read/write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(lambda url: at_one_of(url, CLOUDS))] = Field(
        "https://api.crowdstrike.com", description="The API of the tenant's cloud."
    )
    client_id: SecretStr = Field(description="The API client's id.")
    client_secret: SecretStr = Field(description="The API client's secret.")
    member_cid: str | None = Field(None, description="The child tenant that is meant, where the API client is its parent's.")
    ca_file: Path | None = None
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0


def _explain(body: Any) -> tuple[str, str]:
    first = _errors(body)[:1]
    return (str(first[0].get("code", "")), str(first[0].get("message", ""))) if first else ("", "")


def _errors(body: Any) -> list[dict[str, Any]]:
    """The envelope's errors, which may be null, missing or empty."""
    found = body.get("errors") if isinstance(body, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """X-RateLimit-RetryAfter is an instant, not a delay: slept on, it would last decades."""
    return delay_of(headers.get("x-ratelimit-retryafter")) or delay_of(headers.get("retry-after"))


_DIALECT = Dialect(explain=_explain, retry_after=_retry_after, trace_header="x-cs-traceid")


@dataclass(frozen=True)
class Answer:
    """A reply's envelope, with null and missing lists made empty."""

    status: int
    resources: list[Any]
    errors: list[dict[str, Any]]
    pagination: Mapping[str, Any]


class FalconAPI:
    """Calls with a token that is fetched when needed and shared by all threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = HttpSession(
            config.base_url, _DIALECT, ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
        )
        self._token = Token(self._fetch)

    def get(self, path: str, **query: Any) -> Answer:
        """A read."""
        return self._call("GET", path, query=query)

    def send(self, method: str, path: str, body: Any, *, expects: frozenset[int] = frozenset(), **query: Any) -> Answer:
        """Anything with a body, sent once; `expects` are statuses that the caller reads itself."""
        return self._call(method, path, query=query, body=body, expects=expects)

    def sign_in(self) -> None:
        """Fetch a token unless there is one."""
        self._token.value()

    def _call(self, method: str, path: str, **parts: Any) -> Answer:
        return _answer(self._token.carried_by(lambda headers: self._http.call(method, path, headers=headers, **parts)))

    def _fetch(self) -> tuple[str, float]:
        form = {
            "client_id": self._config.client_id.get_secret_value(),
            "client_secret": self._config.client_secret.get_secret_value(),
        } | ({"member_cid": self._config.member_cid} if self._config.member_cid else {})
        reply = self._http.call("POST", "/oauth2/token", form=form)
        body = reply.body if isinstance(reply.body, dict) else {}
        token, life = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not isinstance(life, int | float):
            raise VendorFault("POST /oauth2/token: no token in the reply")
        return token, float(life)


def _answer(reply: Reply) -> Answer:
    body = reply.body if isinstance(reply.body, dict) else {}
    resources = body.get("resources")
    meta = body.get("meta")
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    return Answer(
        status=reply.status,
        resources=resources if isinstance(resources, list) else [],
        errors=_errors(body),
        pagination=pagination if isinstance(pagination, dict) else {},
    )


def raise_first(answer: Answer, what: str) -> None:
    """A reply that carries an error is one, whatever its status says (2xx with errors occurs)."""
    if not answer.errors:
        return
    code, message = _explain({"errors": answer.errors})
    text = whole(f"{what}: {code} {message}")
    if code == str(OFFLINE_CODE):
        raise EndpointOffline(text, code=code)
    if code == "404":
        raise EndpointNotFound(text, code=code)
    if code == "429" or code.startswith("5"):
        raise VendorFault(text, code=code)
    raise Denied(text, code=code)
