"""The kill switches as the ledger keeps them: a field per scope, whose value is a pause as JSON, with the words of its rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, FiniteFloat

from ..domain.audit import CLOSED, EVERYONE, SWITCH, written_move
from ..domain.pauses import UNREADABLE, Pause
from .scripting import prefix

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Kept(BaseModel):
    """What `read_pause` of `scripts/parts/guards.lua` wants, too. Instants are ms of the ledger's clock."""

    model_config = ConfigDict(strict=True)

    by: str
    reason: str
    words: str
    since: FiniteFloat
    until: FiniteFloat | None = None


def key_of(customer: str | None) -> str:
    """The key of a customer's kill switches; None is all customers, known or not."""
    return f"{prefix(customer)}paused" if customer else "ar:paused"


def held_by(customer: str | None, scope: str) -> str:
    """What a row says that such a switch holds."""
    return scope if customer else f"everyone {scope}"


def written(pause: Pause, words: str) -> str:
    """The pause as it is kept. Any value is a closed switch to versions before 0.5, which show it as the reason."""
    ms = {name: round(at.timestamp() * 1000) for name, at in (("since", pause.since), ("until", pause.until)) if at}
    return json.dumps({"by": pause.by, "reason": pause.reason, "words": words, **ms})


def moves_of(customer: str | None) -> str:
    """The key of the moves that are to be chained, likewise."""
    return f"{prefix(customer or EVERYONE)}moves"


def closing(scope: str, pause: Pause, words: str, text: str) -> str:
    """The move that closes a switch: with the pause as it is kept."""
    return written_move(_ms(pause.since), SWITCH + scope, CLOSED + words, evidence=text)


def opening(scope: str, at: datetime, words: str) -> str:
    """The move that opens it."""
    return written_move(_ms(at), SWITCH + scope, words)


def pause_of(text: str) -> Pause:
    """What is kept of a closed switch, whatever that is: of versions before 0.5 a reason, which is no JSON object."""
    if not text.startswith("{"):
        return Pause(reason=text)
    try:
        found = _Kept.model_validate_json(text)
        return Pause(reason=found.reason, by=found.by, since=_at(found.since), until=None if found.until is None else _at(found.until))
    except (ValueError, OverflowError, OSError):
        return Pause(reason=UNREADABLE + text)


def pauses_of(found: Mapping[str, str]) -> dict[str, Pause]:
    """All of a key."""
    return {scope: pause_of(text) for scope, text in found.items()}


def _ms(at: datetime | None) -> int:
    return round(at.timestamp() * 1000) if at else 0


def _at(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
