"""Whether something is not there, in whatever language the endpoint says so.

Real Time Response has no exit code: a command that fails prints words, which are those of the endpoint's system. They are
never read. Of a file its folder tells; of a registry entry, the words that the same endpoint has for what surely is not there.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from ...domain.errors import Unreadable
from .rtr import WINDOWS_ITSELF

if TYPE_CHECKING:
    from .rtr import Shell

_SHORT_NAME = re.compile(r"~[0-9]")
#: What nobody has, and what every Windows has.
_NO_KEY, _NO_VALUE = r"HKLM\SOFTWARE\ar_workers_asks_for_what_is_not_there", "ar_workers_asks_for_what_is_not_there"
_EVERYBODYS = (WINDOWS_ITSELF, "SystemRoot")
_HIVE = re.compile(r"\b(?:hk[a-z]{1,2}|hkey_[a-z_]+)\b")


def is_there(shell: Shell, path: str) -> bool:
    """Whether the listing of its folder, or of the nearest folder above it that can be listed, shows what leads to `path`.

    Raises Unreadable where a folder on the way is there and cannot be listed.
    """
    folder, name = _parted(path)
    if _SHORT_NAME.search(name) or name.endswith((".", " ")):
        raise Unreadable(f"{name} is no name as a folder lists it: whether it is there cannot be told")
    listing = shell.look("ls", folder)
    if not listing.stderr:
        return is_listed(listing.stdout, name)
    above = folder.removesuffix("\\.").rstrip("\\/")
    if not above or above.endswith(":"):
        raise Unreadable(f"{folder} cannot be listed: {listing.stderr}")
    if is_there(shell, above):
        raise Unreadable(f"{above} is locked or cannot be read: {listing.stderr}")
    return False


def _parted(path: str) -> tuple[str, str]:
    """The folder and the name. A drive's own folder ends with a dot: the shell's quotes take no backslash before them."""
    at = max(path.rfind("\\"), path.rfind("/")) + 1
    folder = path[:at]
    bare = folder.rstrip("\\/")
    if not bare:
        return folder[:1], path[at:]
    return (f"{bare}\\." if bare.endswith(":") else bare), path[at:]


def is_listed(listing: str, name: str) -> bool:
    """Whether a listing shows a name. Which columns it has is not documented, so that the name may stand anywhere.

    A letter that is no ASCII may have become others on its way through the endpoint's console.
    """
    shape = "".join(map(_as_shown, unicodedata.normalize("NFC", name)))
    return bool(re.search(rf"(?<![\w.-]){shape}(?![\w.-])", unicodedata.normalize("NFC", listing), re.IGNORECASE))


def _as_shown(letter: str) -> str:
    if letter.isascii():
        return re.escape(letter)
    plain = "".join(each for each in unicodedata.normalize("NFKD", letter) if each.isascii())
    return rf"(?:[^\x00-\x7f]|\?|{re.escape(plain)}){{1,4}}" if plain else r"(?:[^\x00-\x7f]|\?){1,4}"


def is_unregistered(shell: Shell, arguments: tuple[str, ...], words: str) -> bool:
    """Whether `words`, with which the query for `arguments` has failed, are those for what is not there.

    The query must work at all: the same endpoint shows an entry that every Windows has.
    """
    if shell.look("reg query", *_EVERYBODYS).stderr:
        return False
    nowhere = [(_NO_KEY, *arguments[1:]), *([(WINDOWS_ITSELF, _NO_VALUE)] if arguments[1:] else [])]
    said = _without(words, arguments)
    return any(_without(shell.look("reg query", *each).stderr, each) == said for each in nowhere)


def _without(words: str, arguments: tuple[str, ...]) -> str:
    """A failure's words without what it is about."""
    found = words.casefold()
    for each in (arguments[0].partition("\\")[2], *arguments[1:]):
        found = re.sub(rf"(?<!\w){re.escape(each.casefold())}(?!\w)", "", found)
    return " ".join(_HIVE.sub("", found).split())
