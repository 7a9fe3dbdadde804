"""How names are compared: in one spelling, and by patterns in which `*`, `?` and `[...]` mean what a shell means by them."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase

#: Windows has a short name like PROGRA~1 for every long one.
_SHORT_NAME = re.compile(r"(?=[^.]{1,8}(?:\.|$))[^.]*~\d+(?:\.[^.]{0,3})?$")
_CHECKSUM = re.compile(r".{1,2}[0-9a-f]{4}")
#: Where the letters of a pattern end that every name has.
_PATTERN = re.compile(r"[*?]")
#: What follows a drawn `i` where a capital one with a dot is made small.
_DOT = "i\u0307"


def folded(name: str) -> str:
    r"""`name` as it is compared with another. Whatever some system takes for the same letter is the same.

    File systems and ANSI calls do not agree on the hard ones (long s, dotless i, Kelvin's K, full width letters): a name that some
    of them read as `windows` is judged as `windows`.
    """
    wide = unicodedata.normalize("NFKC", name).upper().casefold().replace(_DOT, "i")
    return unicodedata.normalize("NFC", wide)


def is_pattern(text: str) -> bool:
    """Whether it stands for more than itself. Brackets alone do not make a pattern: they are common in real names."""
    return "*" in text or "?" in text


def is_short_name(name: str) -> bool:
    """Whether it has the form of an 8.3 name, which stands for another."""
    return "~" in name and bool(_SHORT_NAME.match(name))  # hundreds of names are compared per action, and few have one


def may_be(name: str, listed: str) -> bool:
    """Whether a folded `name` is what is listed, matches it as a pattern, or is an 8.3 name that may stand for it."""
    return name == listed or (is_pattern(listed) and fnmatchcase(name, listed)) or (is_short_name(name) and _may_stand_for(name, listed))


def _may_stand_for(name: str, listed: str) -> bool:
    """Of a long name the first six letters stay, or two before four digits of a checksum; no blank and no dot does."""
    long = re.sub(r"[ .]", "", re.sub(r"[+,;=\[\]]", "_", _PATTERN.split(listed)[0]))
    stem = name.partition("~")[0]
    ways = {stem, stem[:2]} if _CHECKSUM.fullmatch(stem) else {stem}
    return any(long.startswith(way) or (is_pattern(listed) and way.startswith(long)) for way in ways)
