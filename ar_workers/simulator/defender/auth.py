"""The login, which stands on another host than the API, and whose token a call carries."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from typing import Any

from ..clock import VirtualClock
from ..grants import Grant, Grants
from ..server import Reply, Request, json_reply
from ..world import World
from .call import Refusal
from .options import Options

#: What "*" stands for in a token.
ROLES = (
    "Machine.Read.All",
    "Machine.Isolate",
    "Machine.StopAndQuarantine",
    "Machine.LiveResponse",
    "Ti.ReadWrite.All",
    "File.Read.All",
    "Library.Manage",
)
RESOURCE = "https://api.securitycenter.microsoft.com"
#: What the same API is called beside that: the newer host, the older one, and the application's own address.
RESOURCES = frozenset(
    {
        RESOURCE,
        "https://api.security.microsoft.com",
        "https://api.securitycenter.windows.com",
        "https://securitycenter.onmicrosoft.com/windowsatpservice",
    }
)


class Gate:
    """Gives out tokens to the apps of a tenant (its `cid`), and says whose token a call carries."""

    def __init__(self, world: World, clock: VirtualClock, options: Options) -> None:
        self._world, self._clock, self._options = world, clock, options
        self.grants = Grants()

    def token(self, request: Request, cid: str, *, version: int) -> Reply:
        """The second version of the login takes a scope, the first one a resource."""
        if "application/x-www-form-urlencoded" not in request.content_type:
            return _refused(400, "invalid_request", "AADSTS900144: The request body must contain the parameter: 'grant_type'.")
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        if version == 1 and form.get("resource", "").rstrip("/") not in RESOURCES:
            return _refused(400, "invalid_resource", "AADSTS500011: The resource principal was not found in the tenant.")
        if version == 2 and form.get("scope", "").removesuffix("/.default") not in RESOURCES:
            return _refused(400, "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid.")
        tenants = [one for one in self._world.of_vendor(Options.vendor) if one.cid == cid]
        if not tenants:
            return _refused(400, "invalid_request", f"AADSTS90002: Tenant '{cid}' not found.")
        given = form.get("client_id"), form.get("client_secret")
        found = next((one for one in tenants[0].credentials if (one.client_id, one.client_secret) == given), None)
        if found is None:
            return _refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        token = _written(found.scopes)
        self.grants.give(token, Grant(tenants[0], found, self._clock.now() + self._options.token_life))
        life = int(self._options.token_life)
        answer: dict[str, Any] = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}
        if version == 1:
            # Its numbers are texts.
            answer |= {"expires_in": str(life), "ext_expires_in": str(life), "resource": form["resource"]}
            answer["expires_on"] = str(int(self._clock.now()) + life)
        return json_reply(200, answer)

    def admit(self, request: Request) -> Grant:
        found = self.grants.of(request)
        if found is None or self._clock.now() >= found.expires:
            raise Refusal(401, "Unauthorized", "Invalid or expired token")
        return found


def _written(roles: list[str]) -> str:
    """A token in the form of a JWT, whose claims tell the app's roles."""
    claims = {"aud": RESOURCE, "roles": [*roles, *(ROLES if "*" in roles else [])]}
    parts = [json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), secrets.token_bytes(32)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _refused(status: int, error: str, description: str) -> Reply:
    codes = [int(description.partition(":")[0].removeprefix("AADSTS"))]
    ids = {"trace_id": str(uuid.uuid4()), "correlation_id": str(uuid.uuid4())}
    return json_reply(status, {"error": error, "error_description": description, "error_codes": codes, **ids})
