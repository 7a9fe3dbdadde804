"""The server's HTTP: one token of one user, refusals in plain text, and empty lists without a body."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ...domain.errors import EndpointNotFound, VendorFault
from ...domain.hosts import is_bare, is_loopback
from ...http import Dialect, HttpSession, Reply


def _own_server(url: str) -> str:
    parts = urlsplit(url)
    if not (parts.hostname and is_bare(parts) and (parts.scheme == "https" or is_loopback(url))):
        raise ValueError("must be https://SERVER or https://SERVER:PORT of the Carbon Black EDR server, and nothing after it")
    return url


class Config(BaseModel):
    """One server, and the API token of one of its users.

    The user is a Global Administrator, or an Analyst of the sensors' groups who may isolate, ban and use Live Response.
    `ca_file` is for a server whose certificate no public authority signed. The name in it must be the one in `base_url`:
    the certificate that a server is installed with names none, and is to be replaced.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_own_server)] = Field(description="The server's address, by the name in its certificate.")
    token: SecretStr = Field(description="The API token of one of its users.")
    ca_file: Path | None = None
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0
    patience: Annotated[float, Field(ge=0, le=8)] = Field(
        8.0, description="Seconds that one look waits for the sensor. What takes longer is looked for again later."
    )


def explain(body: Any) -> tuple[str, str]:
    """Plain text mostly; JSON with a status, reason or message sometimes; HTML from the nginx in front says nothing."""
    if isinstance(body, str):
        return "", "" if body.lstrip().startswith("<") else body
    said = [str(body[name]) for name in ("status", "reason", "message") if body.get(name)] if isinstance(body, dict) else []
    return "", " ".join(said)


class ResponseAPI:
    """Calls with the token, which does not expire: a 401 is final."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = HttpSession(
            config.base_url, Dialect(explain=explain), ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
        )

    def get(self, path: str, *, expects: frozenset[int] = frozenset(), **query: Any) -> Reply:
        """A read; `expects` are statuses that the caller reads itself."""
        return self._http.call("GET", path, headers=self._headers(), query=query, expects=expects)

    def document(self, path: str, **query: Any) -> dict[str, Any]:
        """The one object at `path`, which some routes put into a list of one. Raises VendorFault if there is none."""
        body = self.get(path, **query).body
        only = body[0] if isinstance(body, list) and len(body) == 1 else body
        if not isinstance(only, dict):
            raise VendorFault(f"GET {path}: no object in the reply")
        return only

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """A whole list; no list at all is an empty one (204)."""
        reply = self.get(path, **query)
        body = [] if reply.body is None else reply.body
        if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
            raise VendorFault(f"GET {path}: no list in the reply")
        return body

    def sha256_of(self, path: str) -> str:
        """The SHA-256 of a file that the server has fetched."""
        return self._http.sha256_of(path, headers=self._headers())

    def send(self, method: str, path: str, body: Any, *, expects: frozenset[int] = frozenset()) -> Reply:
        """Anything with a body, sent once."""
        return self._http.call(method, path, headers=self._headers(), body=body, expects=expects)

    def _headers(self) -> dict[str, str]:
        return {"X-Auth-Token": self._config.token.get_secret_value()}


def number(value: Any) -> int | None:
    """A whole number, which the server writes as a number or as a text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def sensor_id(agent_id: str) -> int:
    """The sensor's number. Raises EndpointNotFound for what is none, so that no two ids name one sensor."""
    found = number(agent_id)
    if found is None or str(found) != agent_id:
        raise EndpointNotFound(f"{agent_id} is no sensor id: Carbon Black EDR counts its sensors")
    return found
