"""The base of every value: frozen, and closed to fields nobody knows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value. An unknown field is an error, because a typo in a field must never pass for its absence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
