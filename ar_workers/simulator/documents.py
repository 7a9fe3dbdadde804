"""JSON documents that become dataclasses: a key that nobody knows is a mistake of whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def fields_of(kind: type[Any], document: Mapping[str, Any], said: str) -> dict[str, Any]:
    """A copy of the document; raises ValueError, which begins as said, where `kind` has no such fields."""
    if unknown := set(document) - {one.name for one in fields(kind)}:
        raise ValueError(f"{said}: {', '.join(sorted(unknown))}")
    return dict(document)
