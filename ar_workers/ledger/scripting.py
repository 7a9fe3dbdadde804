"""The ledger's Lua scripts, run by their SHA-1: one at a time, or many in one round trip.

A script is the body of a function in Lua, after the parts that it uses; see `scripts/parts/keys.lua`. Its one key is the customer's
due set, by whose hash tag a cluster finds the server.
"""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

from .constants import in_lua

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: A script's name, a customer, and the arguments.
    Call = tuple[str, str, tuple[str | int, ...]]

_USES = "-- uses: "
#: What a line of a part names for those behind it.
_NAMES_IN = re.compile(r"^local (?:function )?(\w+(?:, \w+)*)", re.MULTILINE)
#: Every script.
NAMES = (
    "accept",
    "event_failed",
    "record",
    "claim",
    "begin",
    "conclude",
    "requeue",
    "deny",
    "resolve",
    "seat",
    "due",
    "unsettled",
    "undoable",
    "renew",
    "reword",
    "open",
    "resume",
    "lapse",
    "spend",
    "stay_away",
    "compact",
    "remind",
    "hold",
    "acknowledge",
    "showed",
    "index_isolated",
    "move_cursor",
    "refuse",
    "let_go",
    "unchained",
    "chained",
    "now",
    "tick",
)


def source(name: str) -> str:
    """The text of a script, or of a part (`parts/NAME`)."""
    return resources.files(__package__).joinpath("scripts", f"{name}.lua").read_text()


def whole(name: str, read: Callable[[str], str] = source) -> str:
    """A script as Redis runs it: the clock, what it uses of the constants and parts, and itself, whose reply `finish` gives back."""
    parts = dict.fromkeys(("parts/keys", "parts/finish"))
    for each in _used(read(name)):
        _add(each, parts, read)
    itself = f"local function script()\n{read(name)}end\nreturn finish(script())\n"
    return read("clock") + _needed([*in_lua(), *"".join(map(read, parts)).split("\n\n")], itself)


def _needed(blocks: Sequence[str], script: str) -> str:
    """The script behind those of the blocks whose names it mentions, or one of them does: each name is made anew in every call."""
    text = script
    for block in reversed(blocks):  # Lua's locals speak only of what stands before them
        names = [name.strip() for line in _NAMES_IN.findall(block) for name in line.split(",")]
        if not names or re.search(rf"\b(?:{'|'.join(names)})\b", text):
            text = f"{block}\n{text}"
    return text


def _used(text: str) -> list[str]:
    """The parts that a script or part names in its first line: `-- uses: moves guards`."""
    first = text.partition("\n")[0]
    return [f"parts/{part}" for part in first.removeprefix(_USES).split()] if first.startswith(_USES) else []


def _add(part: str, parts: dict[str, None], read: Callable[[str], str]) -> None:
    """With what it uses itself before it."""
    if part not in parts:
        for each in _used(read(part)):
            _add(each, parts, read)
        parts[part] = None


def prefix(customer: str) -> str:
    """What all keys of a customer begin with."""
    return f"ar:{{{customer}}}:"


class Scripts:
    """Over one client. A server that does not know them (new, restarted, a cluster's other one) is told them, and asked again.

    `read` gives a script's text by its name, the clock's among them: tests give others.
    """

    def __init__(self, client: Any, read: Callable[[str], str] = source) -> None:
        self._redis = client
        self._texts = {name: whole(name, read) for name in NAMES}
        self._sha1s = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in self._texts.items()}  # noqa: S324 - Redis names scripts so

    def run(self, name: str, customer: str, *arguments: str | int) -> Any:
        """The reply of one."""
        return self.run_all([(name, customer, arguments)])[0]

    def run_on(self, key: str, name: str, *arguments: str | int) -> Any:
        """The reply of one that is about another key than a customer's."""
        try:
            return self._redis.evalsha(self._sha1s[name], 1, key, *arguments)
        except NoScriptError:
            self._redis.script_load(self._texts[name])
            return self._redis.evalsha(self._sha1s[name], 1, key, *arguments)

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
            return [self._redis.evalsha(self._sha1s[name], 1, f"{prefix(customer)}due", *arguments)]
        return list(self._piped(calls).execute())

    def _piped(self, calls: Sequence[Call]) -> Any:
        pipe = self._redis.pipeline(transaction=False)
        for name, customer, arguments in calls:
            # A cluster's pipeline has no `evalsha`, though it routes the command by its key as any other.
            pipe.execute_command("EVALSHA", self._sha1s[name], 1, f"{prefix(customer)}due", *arguments)
        return pipe

    def _load(self, calls: Sequence[Call]) -> None:
        for name in {name for name, _, _ in calls}:
            self._redis.script_load(self._texts[name])
