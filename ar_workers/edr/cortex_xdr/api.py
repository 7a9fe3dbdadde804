"""Cortex's HTTP: the signed headers, the `request_data` envelope, and errors that may come with any status."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import string
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ...domain.errors import AuthRefused, Denied, OutcomeUnknown, Throttled, VendorFault
from ...domain.hosts import at_vendor
from ...domain.text import LONGEST, Line, shortened
from ...http import Dialect, HttpSession

if TYPE_CHECKING:
    from collections.abc import Callable

V1 = "/public_api/v1"
_TENANT = re.compile(r"^api-[a-z0-9-]+\.xdr\.[a-z0-9-]+\.paloaltonetworks\.com$")
_ALPHANUMERIC = string.ascii_letters + string.digits
_NONCE = 64


def _cortex(url: str) -> str:
    rule = "must be https://api-TENANT.xdr.REGION.paloaltonetworks.com, as the console's API key page shows it"
    return at_vendor(url, lambda host: bool(_TENANT.match(host)), rule)


class Config(BaseModel):
    """One tenant's API key. Its role needs: view endpoints, isolate, quarantine, block list, run standard and high-risk scripts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_cortex)] = Field(
        description="The tenant's API, `https://api-TENANT.xdr.REGION.paloaltonetworks.com`."
    )
    auth_id: Annotated[int, Field(gt=0)] = Field(description='The column "ID" of the API key; no secret.')
    api_key: SecretStr = Field(description="The API key.")
    security_level: Literal["advanced", "standard"] = Field(
        "advanced", description="A property of the key. With the wrong one every call is a 401."
    )
    look_script: Line = Field("ar_workers_look", description="Name or uid in the script library of `on_endpoint.py`, entry point `look`.")
    act_script: Line = Field("ar_workers_act", description="The same, entry point `act`.")
    blocklist_route: Annotated[str, Field(pattern=r"^/public_api/v\d/[a-z_/]+$")] | None = Field(
        None,
        description="The vendor documents no call that reads the block list. A tenant that has one names it here, and bans are read back.",
    )
    ca_file: Path | None = None
    patience: Annotated[float, Field(ge=0, le=15)] = Field(
        8.0, description="Seconds that one look waits for a script. A longer run is looked at again later."
    )
    #: Seconds; lower only in tests.
    connect_timeout: Annotated[float, Field(gt=0, le=5)] = 5.0
    read_timeout: Annotated[float, Field(gt=0, le=15)] = 15.0


def _explain(body: Any) -> tuple[str, str]:
    """The vendor's code, and its words: `err_extra`, a text or an object, says what `err_msg` does not."""
    reply = body.get("reply") if isinstance(body, dict) else None
    if not isinstance(reply, dict) or "err_code" not in reply:
        return "", ""
    extra = reply.get("err_extra")
    words = [str(reply.get("err_msg") or ""), extra if isinstance(extra, str) else json.dumps(extra) if extra else ""]
    return str(reply["err_code"]), " - ".join(filter(None, words))


class CortexAPI:
    """Calls, each signed for itself: an advanced key's signature is good for one request and a short time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = HttpSession(
            config.base_url, Dialect(explain=_explain), ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
        )

    def read(self, path: str, data: dict[str, Any]) -> Any:
        """A read, which here is a POST as well: one that got lost may be asked again."""
        try:
            return self.send(path, data)
        except OutcomeUnknown as error:
            raise VendorFault(str(error)) from None

    def send(self, path: str, data: dict[str, Any]) -> Any:
        """What stands under `reply`. Sent once; a business error is a 500, or even a 200, with `err_code`."""
        answer = self._http.call("POST", path, headers=self._headers(), body={"request_data": data})
        code, said = _explain(answer.body)
        if code:
            raise _error(code)(f"POST {path}: {code} {shortened(said, LONGEST)}")
        if not isinstance(answer.body, dict) or "reply" not in answer.body:
            raise OutcomeUnknown(f"POST {path}: {answer.status} without a reply")
        return answer.body["reply"]

    def _headers(self) -> dict[str, str]:
        key, auth_id = self._config.api_key.get_secret_value(), str(self._config.auth_id)
        if self._config.security_level == "standard":
            return {"x-xdr-auth-id": auth_id, "Authorization": key}
        nonce = "".join(secrets.choice(_ALPHANUMERIC) for _ in range(_NONCE))
        timestamp = str(int(time.time() * 1000))
        signature = hashlib.sha256(f"{key}{nonce}{timestamp}".encode()).hexdigest()
        return {"x-xdr-auth-id": auth_id, "x-xdr-nonce": nonce, "x-xdr-timestamp": timestamp, "Authorization": signature}


def _error(code: str) -> Callable[[str], Exception]:
    """The class of an error that came inside a 200, by the code inside."""
    if code in {"401", "403"}:
        return lambda message: AuthRefused(message, code=code, is_unauthenticated=code == "401")
    if code == "429":
        return lambda message: Throttled(message, retry_after=None, code=code)
    if code.startswith("5"):
        return lambda message: VendorFault(message, code=code)
    return lambda message: Denied(message, code=code)


def objects(found: Any) -> list[dict[str, Any]]:
    """The objects of a list that may be null."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def count(found: Any) -> int | None:
    """A count, which may be null."""
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def only(agent_id: str) -> list[dict[str, Any]]:
    """The filter for one endpoint; an empty list of filters would be all of them."""
    if not agent_id:
        raise Denied("no endpoint id")
    return [{"field": "endpoint_id_list", "operator": "in", "value": [agent_id]}]
