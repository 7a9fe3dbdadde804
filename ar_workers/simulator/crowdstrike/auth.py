"""Who is asking: tokens for API clients, and the limiters that stand before everything else."""

from __future__ import annotations

import secrets

from ..clock import VirtualClock
from ..grants import Grant, Grants
from ..limits import SlidingWindow
from ..server import Request
from ..world import Credential, Tenant, World
from .envelope import Answer, Refusal
from .options import Options

#: The vendor's own. Its clients go to whichever the answer to a login names, wherever they were told to log in.
REAL_CLOUDS = frozenset({"us-1", "us-2", "us-3", "eu-1", "us-gov-1", "us-gov-2"})


class Gate:
    """Gives out tokens, and says whose token a call carries. A world that names a cloud of the vendor's is refused."""

    def __init__(self, world: World, clock: VirtualClock, options: Options) -> None:
        for cloud in (options.cloud, *(one.cloud for one in world.of_vendor(Options.vendor))):
            if cloud.lower() in REAL_CLOUDS:
                raise ValueError(f"cloud {cloud} is a real one, to which clients would go: use a name of your own, such as sim-2")
        self._world, self._clock, self._options = world, clock, options
        self.grants = Grants()
        self._token_calls = SlidingWindow(options.tokens_per_minute)
        self._bad_tokens = SlidingWindow(options.bad_tokens_per_minute)

    def token(self, request: Request) -> Answer:
        """201 with a token; 308 where the tenant lives in another cloud."""
        now = self._clock.now()
        if not self._token_calls.take(request.client, now).allowed:
            raise Refusal(429, "too many token requests")
        if "application/x-www-form-urlencoded" not in request.content_type:
            raise Refusal(400, "Failed to generate access token: invalid content type")
        form = request.form()
        tenant, credential = self._known(form)
        home = tenant.cloud or self._options.cloud
        headers = {"X-Cs-Region": home}
        if home != self._options.cloud:
            there = self._options.cloud_urls.get(home, f"https://{home}.invalid")
            return Answer(status=308, bare={}, headers={**headers, "Location": f"{there}/oauth2/token"})
        if form.get("member_cid"):
            tenant = self._member(credential, form["member_cid"])
        token = secrets.token_urlsafe(32)
        self.grants.give(token, Grant(tenant, credential, now + self._options.token_life))
        life = int(self._options.token_life)
        return Answer(status=201, bare={"access_token": token, "expires_in": life, "token_type": "bearer"}, headers=headers)

    def _known(self, form: dict[str, str]) -> tuple[Tenant, Credential]:
        credentials = form.get("client_id"), form.get("client_secret")
        found = self._world.holder(Options.vendor, lambda one: (one.client_id, one.client_secret) == credentials)
        if found is None:
            raise Refusal(403, "access denied, authorization failed")
        return found

    def _member(self, credential: Credential, cid: str) -> Tenant:
        """The child tenant that a provider's client asks a token for."""
        found = [one for one in self._world.of_vendor(Options.vendor) if one.cid == cid and cid in credential.members]
        if not found:
            raise Refusal(403, "access denied, authorization failed")
        return found[0]

    def revoke(self, request: Request) -> Answer:
        self.grants.revoke(request.form().get("token", ""))
        return Answer(status=200, bare={})

    def admit(self, request: Request) -> Grant:
        """The grant of the call's bearer; bad ones are counted by address, and too many block the address."""
        found = self.grants.of(request)
        now = self._clock.now()
        if found and now < found.expires:
            return found
        if not self._bad_tokens.take(request.client, now).allowed:
            raise Refusal(429, "too many requests with a bad bearer token")
        raise Refusal(401, "access denied, invalid bearer token")
