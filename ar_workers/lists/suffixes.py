"""The public suffixes, as `publicsuffixlist` carries them; renewed with that package."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import publicsuffixlist

from ..domain.wellknown import parents

_REMEMBERED = 4096


class PublicSuffixes:
    """`wellknown.Suffixes`. A name below no listed suffix, such as `corp.local`, is owned by whoever has its last two labels."""

    def __init__(self) -> None:
        text = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
        self._list = publicsuffixlist.PublicSuffixList(text)
        rules = (line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith(("//", "!")))
        bare = {rule.removeprefix("*.") for rule in rules if rule.isascii()}
        self._above = {parent: rule for rule in sorted(bare) for parent in parents(rule)}

        #: One domain is held against more than ten lists, when it is planned and before each write.
        self.has = lru_cache(maxsize=_REMEMBERED)(self._has)
        self.owned = lru_cache(maxsize=_REMEMBERED)(self._owned)

    def _has(self, domain: str) -> bool:
        """Also by a rule such as `*.ck`."""
        return self._list.publicsuffix(domain, accept_unknown=False) == domain

    def under(self, domain: str) -> str | None:
        """Of those that are written down, one."""
        return self._above.get(domain)

    def _owned(self, domain: str) -> str | None:
        """None also for what is no name."""
        return self._list.privatesuffix(domain)


@cache
def public_suffixes() -> PublicSuffixes:
    """Read once, in some hundredths of a second."""
    return PublicSuffixes()
