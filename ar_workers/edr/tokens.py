"""A token by OAuth2 client credentials: one for all threads, kept until shortly before it expires, new after a 401."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ..domain.errors import AuthRefused, Denied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..http import Reply

#: A token that expires within this is not used any more.
_RENEW_EARLY = 120.0
#: Refused credentials are asked about no more often: Falcon blocks the egress address after 15 a minute, Entra locks the app out.
_REFUSED_FOR = 60.0


class Token:
    """What a vendor gives for id and secret. `fetch` asks for it in one request: the token, and its life in seconds.

    `now` are seconds that only grow.
    """

    def __init__(self, fetch: Callable[[], tuple[str, float]], *, now: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._now = fetch, now
        self._lock = threading.Lock()
        self._value = SecretStr("")
        self._expires = 0.0
        self._refused: tuple[float, str] = (0.0, "")

    def carried_by(self, send: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """The reply to `send`, which is given the headers with the token. It is called again only after a 401."""
        token = self.value()
        try:
            return send(_with(token))
        except AuthRefused as error:
            if not error.is_unauthenticated:
                raise
            # It was turned away at the gate: nothing was done, so that once more is not twice.
            return send(_with(self.value(but=token)))

    def value(self, but: SecretStr | None = None) -> SecretStr:
        """A valid token; never `but`, which was refused. Raises AuthRefused without a request if that was the answer just now."""
        with self._lock:
            if self._value in {SecretStr(""), but} or self._now() > self._expires:
                self._renew()
            return self._value

    def _renew(self) -> None:
        since, why = self._refused
        if why and self._now() - since < _REFUSED_FOR:
            raise AuthRefused(why, is_unauthenticated=True)
        try:
            token, life = self._fetch()
        except (AuthRefused, Denied) as error:
            self._refused = self._now(), f"credentials refused: {error}"
            # What was turned away is not sent again by the next look: each such call counts against the address.
            self._value = SecretStr("")
            raise AuthRefused(self._refused[1], is_unauthenticated=True) from None
        self._value, self._expires = SecretStr(token), self._now() + max(life - _RENEW_EARLY, 10.0)


def _with(token: SecretStr) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.get_secret_value()}"}
