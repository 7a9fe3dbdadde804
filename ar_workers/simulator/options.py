"""The knobs of the twins: each vendor's file says which there are, here is how they are read from the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from .documented import Documentation
from .documents import fields_of
from .server import Request
from .world import World

#: How a vendor compares the names of groups and endpoints.
NameMatch = Literal["exact", "folded", "partial"]


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """A vendor's own are the fields of a subclass, with what the vendor most probably does as their defaults."""

    vendor: ClassVar[str]
    documentation: ClassVar[Documentation]
    #: Refuses what the vendor's documentation does not name. Without it such parts are tolerated, as vendors mostly do.
    strict: bool = False

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        return cls(**fields_of(cls, document, f"unknown {cls.vendor} options"))

    @classmethod
    def of(cls, world: World) -> Self:
        return cls.from_dict({"strict": world.strict, **world.options.get(cls.vendor, {})})

    def undocumented(self, request: Request, path: str) -> str:
        """What a strict twin refuses of a call to the route that its table writes so; empty if nothing."""
        return ", ".join(self.documentation.strangers(request, path)) if self.strict else ""


def is_named(actual: str, wanted: str, style: NameMatch) -> bool:
    if style == "exact":
        return actual == wanted
    folded = actual.casefold(), wanted.casefold()
    return folded[1] in folded[0] if style == "partial" else folded[0] == folded[1]
