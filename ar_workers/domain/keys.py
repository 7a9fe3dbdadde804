"""Which registry keys and values are never deleted, by whatever name they go."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from . import vital
from .listing import Listing
from .paths import quoting_problem, traversal
from .spelling import folded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .indicators import RegistryKey

Parts = tuple[str, ...]

#: A key that goes by several names, to the one that the lists use; two users' keys count as one. Scripts hold a copy.
KEY_NAMES = (
    (r"\\(?:wow6432node|wowaa32node)(?=\\|$)", ""),
    (r"^hku\\[^\\]+_classes(?=\\|$)", r"hkcu\software\classes"),
    (r"^hku\\[^\\]+(?=\\)", "hkcu"),
    (r"^hkcr(?=\\)", r"hklm\software\classes"),
    (r"^hkcc(?=\\)", r"hklm\system\currentcontrolset\hardware profiles\current"),
    (r"^hklm\\system\\controlset\d+(?=\\|$)", r"hklm\system\currentcontrolset"),
)
_NAMES = [(re.compile(pattern), name.replace("\\", "\\\\")) for pattern, name in KEY_NAMES]
_SERVICES = r"hklm\system\currentcontrolset\services"
_OF_ALL_USERS, _OF_ONE = ("hklm", "software", "classes"), ("hkcu", "software", "classes")


def _listed(entries: Iterable[str]) -> Listing:
    return Listing((entry, entry.split("\\")) for entry in entries)


_NEVER = _listed((*vital.entries(vital.KEYS), *(f"{_SERVICES}\\{name}" for name in vital.entries(vital.SERVICES))))
_BRANCHES = _listed(vital.entries(vital.BRANCHES))
_WHOLE = _listed((*vital.entries(vital.WHOLE_KEYS), *vital.entries(vital.BRANCHES)))
_AUTOSTART_KEYS = _listed(vital.entries(vital.AUTOSTART_KEYS))
_AUTOSTART_VALUES = _listed(vital.entries(vital.AUTOSTART_VALUES))


def key_parts(key: str) -> Parts:
    """The names of a key in its short form, from its hive on, as two keys are compared: HKCR shows machine's and user's as one."""
    parts = _own_parts(key)
    return (*_OF_ALL_USERS, *parts[3:]) if parts[:3] == _OF_ONE else parts


def _own_parts(key: str) -> Parts:
    """The same, with a user's own classes apart from those of all."""
    # PowerShell takes a slash in a key for a backslash.
    text = "\\".join(filter(None, map(folded, re.split(r"[\\/]", key))))
    for pattern, name in _NAMES:
        text = pattern.sub(name, text)
    return tuple(text.split("\\"))


#: One indicator is judged when it is planned and before each write, for every endpoint of its threat.
@lru_cache(maxsize=1024)
def registry_problem(registry: RegistryKey) -> str | None:
    """Why this key or value must not be deleted, or None.

    Of the branches that Windows lives in goes only what starts programs: a value that is known to, or a key below a known place.
    """
    problem = quoting_problem(registry.key) or quoting_problem(registry.value or "") or traversal(registry.key)
    if problem:
        return problem
    key = _own_parts(registry.key)
    never = _NEVER.above(key) or (None if registry.value else _NEVER.below(key))
    if never:
        return f"vital registry key ({never}): never touched by automation; what is wrong there, a person sets right on the endpoint"
    whole = None if registry.value else _WHOLE.below(key)
    if whole:
        return f"vital registry key ({whole}): never deleted whole; name one value or a key below it"
    branch = _BRANCHES.above(key)
    if branch and not _is_autostart(key, registry.value):
        return (
            f"vital registry key ({branch}): of it only autostart values, and keys below autostart places, are deleted; name one of these"
        )
    return None


def _is_autostart(key: Parts, value: str | None) -> bool:
    return bool(_AUTOSTART_KEYS.above(key) or (value and _AUTOSTART_VALUES.same((*key, folded(value)))))


def hive_problem(registry: RegistryKey) -> str | None:
    """Why a shell that runs as SYSTEM must not take this key, or None: the HKCU that it sees is its own."""
    if registry.key.startswith("HKCU\\"):
        return "HKCU is the hive of whoever is signed in, and this shell runs as SYSTEM: name the key by HKU\\SID"
    return None
