"""What each EDR can do on which OS: read from the adapters' marks, asked by automations, printed as a table."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from .endpoints import OS, Vendor
from .model import Value

if TYPE_CHECKING:
    from .actions import Verb
    from .indicators import HashType


class Means(StrEnum):
    """How an EDR does it."""

    #: A call of the vendor's API made for it.
    NATIVE = "native"
    #: A command in the vendor's remote shell.
    SHELL = "shell"
    #: Accepted by the vendor, but it only alerts and does not block.
    DETECT_ONLY = "detect-only"
    #: Not at all; the remark says why, where that is known.
    NONE = "none"


class Capability(Value):
    """One cell of the table, with the vendor's restriction in words where there is one."""

    edr: Vendor
    verb: str
    os: OS
    means: Means
    remark: str = ""


class Capabilities:
    """The whole table, and the hash types that each EDR's ban takes, best first."""

    def __init__(self, cells: tuple[Capability, ...], hash_types: dict[Vendor, tuple[HashType, ...]]) -> None:
        self.cells = cells
        self.hash_types = hash_types
        self._means = {(cell.edr, cell.verb, cell.os): cell.means for cell in cells}
        self._why_not = {(cell.edr, cell.verb): cell.remark for cell in cells if cell.means is Means.NONE}

    def means(self, edr: Vendor, verb: Verb, os: OS) -> Means:
        """How `edr` does `verb` on `os`; NONE where it does not. On an unknown OS only what works on every OS counts."""
        if os is OS.UNKNOWN:
            found = {self._means.get((edr, verb, each), Means.NONE) for each in (OS.WINDOWS, OS.MACOS)}
            return found.pop() if len(found) == 1 else Means.NONE
        return self._means.get((edr, verb, os), Means.NONE)

    def why_not(self, edr: Vendor, verb: str) -> str:
        """Why `edr` cannot do `verb`, where that is known."""
        return self._why_not.get((edr, verb), "")

    def may(self, edr: Vendor, verb: Verb, os: OS) -> bool:
        """Whether there is use in planning it: where the OS is not known, it is asked for before anything is done."""
        return any(self.means(edr, verb, each) is not Means.NONE for each in ((OS.WINDOWS, OS.MACOS) if os is OS.UNKNOWN else (os,)))
