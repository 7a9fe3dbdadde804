"""The alphabet of text messages (3GPP TS 23.038, 6.2.1): what fits into it, and how many segments a text costs."""

from __future__ import annotations

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: These take an escape and count twice.
EXTENSION = frozenset("^{}\\[~]|€")
#: A lone segment and one of several, in septets of GSM-7 or in 16-bit units of UCS-2.
SEPTETS, UNITS = (160, 153), (70, 67)
#: What people and word processors write in place of what the alphabet has. Never longer than two characters.
_ALIKE = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "`": "'", "\u00b4": "'", "\u2032": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"', "\u2033": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
        "\u2026": "..", "\u2022": "*", "\u00b7": "-", "\u00d7": "x", "\u2192": "->", "\u00e7": "Ç", "\t": " ",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "\u0131": "i", "œ": "oe", "Œ": "OE",
    }
)  # fmt: skip


def is_gsm7(text: str) -> bool:
    """Whether the alphabet has every character."""
    return all(char in BASIC or char in EXTENSION for char in text)


def transliterated(text: str) -> str:
    """`text` in GSM-7: alike characters for what is missing, no accent where there is no other way, else a `?`."""
    return "".join(char if is_gsm7(char) else _nearest(char) for char in text.translate(_ALIKE))


def is_spelt(text: str) -> bool:
    """Whether no letter or digit of `text` is lost by transliteration, as all are of a text in Japanese."""
    return not any(char.isalnum() and transliterated(char) == "?" for char in text)


def size(text: str) -> int:
    """Septets, or 16-bit units if the alphabet lacks a character."""
    if is_gsm7(text):
        return sum(2 if char in EXTENSION else 1 for char in text)
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)  # noqa: PLR2004 - beyond it UTF-16 takes a pair


def segments(text: str) -> int:
    """How many messages the network makes of `text`. An escape or a surrogate pair is never cut in two."""
    lone, each = SEPTETS if is_gsm7(text) else UNITS
    if size(text) <= lone:
        return 1
    is_wide = EXTENSION if is_gsm7(text) else {char for char in text if ord(char) > 0xFFFF}  # noqa: PLR2004
    count, used = 1, 0
    for char in text:
        cost = 2 if char in is_wide else 1
        if used + cost > each:
            count, used = count + 1, 0
        used += cost
    return count


def _nearest(char: str) -> str:
    plain = "".join(each for each in unicodedata.normalize("NFKD", char) if not unicodedata.combining(each))
    return plain if 0 < len(plain) <= 2 and is_gsm7(plain) else "?"  # noqa: PLR2004 - a ligature of two, and no more
