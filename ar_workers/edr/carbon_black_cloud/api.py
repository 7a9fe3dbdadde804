"""How one organisation of Carbon Black Cloud is called: hosts, key, errors, and a brake where it throttles."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from ...domain.errors import Throttled, VendorFault
from ...domain.hosts import at_one_of
from ...domain.retries import LONGEST_RETRY_AFTER
from ...domain.text import whole
from ...http import Dialect, HttpSession, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: The consoles of the vendor's environments, which are also the API's hosts (sensor installation guides).
CONSOLES = frozenset(
    {
        "dashboard.confer.net",
        "defense.conferdeploy.net",
        "defense-prod05.conferdeploy.net",
        "defense-eu.conferdeploy.net",
        "defense-prodnrt.conferdeploy.net",
        "defense-prodsyd.conferdeploy.net",
        "ew2.carbonblackcloud.vmware.com",
        "gprd1usgw1.carbonblack-us-gov.vmware.com",
    }
)
PAGE, MOST_PAGES = 200, 1000
#: Left alone for this long where a 429 names no time.
_QUIET = timedelta(minutes=1)


class Config(BaseModel):
    """One organisation's API key, of the type Custom.

    Its access level: device READ, device.quarantine EXECUTE, org.reputations CREATE/READ, org.liveresponse.session
    CREATE/READ, org.liveresponse.file READ/DELETE, org.liveresponse.process READ/EXECUTE, org.liveresponse.registry
    READ/DELETE, and group-management READ or org.policies READ.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(lambda url: at_one_of(url, CONSOLES))] = Field(description="The address of the console.")
    org_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{4,32}$")] = Field(description="The organisation's key; no secret.")
    api_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{4,32}$")] = Field(description="The API key's id.")
    api_secret_key: SecretStr = Field(description="The API key's secret; its type is Custom.")
    group_by: Literal["asset_group", "policy"] = Field(
        "asset_group", description="What the names in `remediate_groups` mean. Older organisations have policies only."
    )
    ca_file: Path | None = None
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0
    patience: Annotated[float, Field(gt=0, le=12)] = Field(
        12.0, description="Seconds that one look waits for the sensor. What takes longer is looked for again later."
    )


def _explain(body: Any) -> tuple[str, str]:
    if not isinstance(body, dict):
        return "", ""
    said = body.get("message") or body.get("errorMessage") or body.get("reason") or ""
    field = f" ({body['field']})" if body.get("field") else ""
    return str(body.get("error_code") or ""), f"{said}{field}"


@dataclass(frozen=True)
class Answer:
    """A reply: the status, the JSON object (empty where there was none), and the vendor's own time."""

    status: int
    body: Mapping[str, Any]
    at: datetime | None

    def rows(self, name: str = "results") -> list[dict[str, Any]]:
        """A list of objects in the body; null and missing are empty."""
        found = self.body.get(name)
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


class CloudAPI:
    """Calls with the organisation's key; `{org}` in a path stands for its org key."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = HttpSession(
            config.base_url, Dialect(explain=_explain), ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
        )
        self._quiet_until = 0.0

    def get(self, path: str, *, expects: frozenset[int] = frozenset(), **query: Any) -> Answer:
        """A read; `expects` are statuses that the caller reads itself."""
        return self._call("GET", path, expects=expects, query=query)

    def post(self, path: str, body: Any, *, expects: frozenset[int] = frozenset()) -> Answer:
        """A search or an order, sent once."""
        return self._call("POST", path, expects=expects, body=body)

    def pages(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every row of a search that counts from 0."""
        return every(path, lambda seen, _: self.post(path, {**body, "rows": PAGE, "start": seen}))

    def sha256_of(self, path: str) -> str:
        """The SHA-256 of a file that the vendor holds; the file itself is not kept."""
        with self._brake():
            return self._http.sha256_of(self._path(path), headers=self._headers())

    def _call(self, method: str, path: str, **parts: Any) -> Answer:
        with self._brake():
            reply = self._http.call(method, self._path(path), headers=self._headers(), **parts)
        return _answer(f"{method} {path}", reply)

    @contextlib.contextmanager
    def _brake(self) -> Iterator[None]:
        """A call while the vendor throttles would prolong it, for every worker behind the same address."""
        left = self._quiet_until - time.monotonic()
        if left > 0:
            raise Throttled("not sent: still throttled", retry_after=timedelta(seconds=left))
        try:
            yield
        except Throttled as error:
            quiet = min(error.retry_after or _QUIET, LONGEST_RETRY_AFTER)
            self._quiet_until = time.monotonic() + quiet.total_seconds()
            raise

    def _path(self, path: str) -> str:
        return path.replace("{org}", self._config.org_key)

    def _headers(self) -> dict[str, str]:
        """The secret comes first: `X-Auth-Token: SECRET/ID`."""
        return {"X-Auth-Token": f"{self._config.api_secret_key.get_secret_value()}/{self._config.api_id}"}


def every(path: str, ask: Callable[[int, Answer | None], Answer], *, name: str = "results") -> Iterator[dict[str, Any]]:
    """Every row of a list. `ask` takes the number of rows so far and the last page.

    It ends at the total that it names or, where it names none, at an empty page. Raises VendorFault if it breaks off.
    """
    seen, answer = 0, None
    for _ in range(MOST_PAGES):
        answer = ask(seen, answer)
        rows = answer.rows(name)
        yield from rows
        seen += len(rows)
        total = answer.body.get("num_found")
        if total is None and not rows:
            return
        if total is not None and seen >= int(total):
            return
        if not rows:
            break
    raise VendorFault(f"{path}: the list broke off after {seen}")


def _answer(what: str, reply: Reply) -> Answer:
    """Some services report an error within a 200."""
    body = reply.body if isinstance(reply.body, dict) else {}
    if "errorMessage" in body and reply.status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise VendorFault(whole(f"{what}: {reply.status} with an error: {_explain(body)[1]}"))
    return Answer(reply.status, body, _instant(reply.headers.get("date", "")))


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
