"""Names of domains as people, reports and browsers write them, and as DNS has them."""

from __future__ import annotations

import ipaddress
import re

import idna

#: How reports keep a link from being one; undone before anything else is looked at.
_DEFANGED = (
    (re.compile(r"[\[({]\s*(?:\.|dot)\s*[\])}]", re.IGNORECASE), "."),
    (re.compile(r"\[(:|/|://)\]"), r"\1"),
    (re.compile(r"^h(?:xx|\*\*)p(s?)(?=:)", re.IGNORECASE), r"http\1"),
)
#: The host of a URL: without scheme, user, port and path. A user stands only behind a scheme, or it is a mail address.
_HOST = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:(?://|\\\\)(?:[^/?#\\]*@)?)?(\[[^\]/?#\\]*\]|[^/?#\\:@\[\]]+)(?::\d{0,5})?(?:[/?#\\]|$)")
_DOMAIN = re.compile(r"^(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:xn--[a-z0-9-]{2,59}|[a-z]{2,63})$")
_LONGEST = 253


def refanged(text: str) -> str:
    """What was written so that nobody clicks on it, as it was before."""
    for pattern, meant in _DEFANGED:
        text = pattern.sub(meant, text)
    return text


def host_of(text: str) -> str:
    """The host of a URL, or of what stands alone; without a final dot. The text itself where there is none."""
    whole = refanged(text.strip())
    found = _HOST.match(whole)
    return (found[1] if found else whole).rstrip(".")


def address_in(text: str) -> bool:
    """Whether this is an IP address or network, alone or as the host of a URL. IPv6 stands in brackets there, and bare elsewhere."""
    whole = refanged(text.strip())
    return any(map(_is_network, (whole, whole.partition("%")[0], host_of(text).strip("[]"))))


def _is_network(text: str) -> bool:
    if ":" not in text and not text[:1].isdecimal():
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_dns_name(text: str) -> bool:
    """Whether it is a domain's name as DNS has it, without a final dot; no address is."""
    return bool(_DOMAIN.fullmatch(text))


def dns_name(host: str) -> str:
    """The name as DNS has it, by IDNA 2008 after the mapping of UTS 46 as browsers do it, which turns no sharp s into ss.

    Raises ValueError with what is wrong.
    """
    if len(host) > _LONGEST:
        raise ValueError("is not a domain name")
    try:
        mapped = host.lower() if host.isascii() else idna.uts46_remap(host, std3_rules=False, transitional=False)
        encoded = ".".join(map(_encoded, mapped.rstrip(".").split(".")))
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"is not a domain name: {error}") from None
    if not is_dns_name(encoded):
        raise ValueError("is not a domain name")
    return encoded


def _encoded(label: str) -> str:
    """What is ASCII is what DNS has already: registries have let in more of that than IDNA 2008 does."""
    return label if label.isascii() else idna.alabel(label).decode()
