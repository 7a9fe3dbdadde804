"""The ledger's Lua scripts, run by their digests: one at a time, or many in one round trip.

A script is the body of a function in Lua, after what all of them begin with; see `scripts/00_common.lua`. Its one key is the
customer's due set, by whose hash tag a cluster finds the server.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: A script's name, a customer, and the arguments.
    Call = tuple[str, str, tuple[str | int, ...]]

_NAMES = (
    "accept",
    "event_failed",
    "record",
    "claim",
    "begin",
    "conclude",
    "requeue",
    "resolve",
    "seat",
    "due",
    "unsettled",
    "renew",
    "resume",
    "spend",
    "stay_away",
    "compact",
    "move_cursor",
    "now",
    "tick",
)


def source(name: str) -> str:
    """The text of a script."""
    return resources.files(__package__).joinpath("scripts", f"{name}.lua").read_text()


def prefix(customer: str) -> str:
    """What all keys of a customer begin with."""
    return f"ar:{{{customer}}}:"


class Scripts:
    """Over one client. A server that does not know them (new, restarted, a cluster's other one) is told them, and asked again.

    `read` gives a script's text by its name, the clock's among them: tests give others.
    """

    def __init__(self, client: Any, read: Callable[[str], str] = source) -> None:
        self._redis = client
        common = read("clock") + read("00_common")
        self._texts = {name: f"{common}local function script()\n{read(name)}end\nreturn finish(script())\n" for name in _NAMES}
        self._digests = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in self._texts.items()}  # noqa: S324 - Redis names scripts so

    def run(self, name: str, customer: str, *arguments: str | int) -> Any:
        """The reply of one."""
        return self.run_all([(name, customer, arguments)])[0]

    def run_on(self, key: str, name: str, *arguments: str | int) -> Any:
        """The reply of one that is about another key than a customer's."""
        try:
            return self._redis.evalsha(self._digests[name], 1, key, *arguments)
        except NoScriptError:
            self._redis.script_load(self._texts[name])
            return self._redis.evalsha(self._digests[name], 1, key, *arguments)

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """The replies, in order. Raises what redis-py raises for the first that fails."""
        try:
            return self._evaluate(calls)
        except NoScriptError:
            self._load(calls)
            return self._evaluate(calls)

    def run_each(self, calls: Sequence[Call]) -> list[Any]:
        """Like `run_all`, but each on its own: the error of a call is its reply, and spoils no other."""
        replies = list(self._piped(calls).execute(raise_on_error=False)) if calls else []
        unknown = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            self._load(calls)
            again = self._piped([calls[n] for n in unknown]).execute(raise_on_error=False)
            for n, reply in zip(unknown, again, strict=True):
                replies[n] = reply
        return replies

    def _evaluate(self, calls: Sequence[Call]) -> list[Any]:
        if len(calls) == 1:
            name, customer, arguments = calls[0]
            return [self._redis.evalsha(self._digests[name], 1, f"{prefix(customer)}due", *arguments)]
        return list(self._piped(calls).execute())

    def _piped(self, calls: Sequence[Call]) -> Any:
        pipe = self._redis.pipeline(transaction=False)
        for name, customer, arguments in calls:
            # A cluster's pipeline has no `evalsha`, though it routes the command by its key as any other.
            pipe.execute_command("EVALSHA", self._digests[name], 1, f"{prefix(customer)}due", *arguments)
        return pipe

    def _load(self, calls: Sequence[Call]) -> None:
        for name in {name for name, _, _ in calls}:
            self._redis.script_load(self._texts[name])
