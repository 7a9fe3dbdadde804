"""The kill switches as the ledger keeps them: a field per scope, whose value is a pause as JSON, with the words of its rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, FiniteFloat

from ..domain.audit import CLOSED, EVERYONE, SWITCH, written_move
from ..domain.pauses import UNREADABLE, Pause
from ..domain.people import Decision
from ..domain.seals import Word, about_switch
from .scripting import prefix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ports import Seals

#: Before the scope, where the word of who has opened the last pause of it is kept.
RESUMED = "resumed "


class _Kept(BaseModel):
    """What `read_pause` of `scripts/parts/guards.lua` wants, too. Instants are ms of the ledger's clock."""

    model_config = ConfigDict(strict=True)

    by: str
    reason: str
    words: str
    seal: str = ""
    since: FiniteFloat
    until: FiniteFloat | None = None


def key_of(customer: str | None) -> str:
    """The key of a customer's kill switches; None is all customers, known or not."""
    return f"{prefix(customer)}paused" if customer else "ar:paused"


def held_by(customer: str | None, scope: str) -> str:
    """What a row says that such a switch holds."""
    return scope if customer else f"everyone {scope}"


def written(pause: Pause, words: str, seal: str) -> str:
    """The pause as it is kept. Any value is a closed switch to versions before 0.5, which show it as the reason."""
    ms = {name: _ms(at) for name, at in (("since", pause.since), ("until", pause.until)) if at}
    return json.dumps({"by": pause.by, "reason": pause.reason, "words": words, **ms} | ({"seal": seal} if seal else {}))


def about_closing(customer: str | None, scope: str, pause: Pause) -> tuple[str, ...]:
    """What is sealed of it, beside by whom and why."""
    return about_switch(customer, scope, _ms(pause.since), _ms(pause.until) if pause.until else None)


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


def pauses_of(found: Mapping[str, str], customer: str | None, seals: Seals) -> dict[str, Pause]:
    """Each as a pause, and whether who has closed it has signed that."""
    return {scope: _with_seal(pause_of(text), text, customer, scope, seals) for scope, text in found.items()}


def standing(found: Mapping[str, str]) -> dict[str, str]:
    """What is closed; beside it stands who has opened what was closed before."""
    return {scope: text for scope, text in found.items() if not scope.startswith(RESUMED)}


def _with_seal(pause: Pause, text: str, customer: str | None, scope: str, seals: Seals) -> Pause:
    return pause.model_copy(update={"is_signed": sealed_pause(text, customer, scope, seals) is not None})


def sealed_pause(text: str, customer: str | None, scope: str, seals: Seals) -> Pause | None:
    """The pause, if somebody who may close a switch has signed it as it stands."""
    pause = pause_of(text)
    said = seals.said(Decision.PAUSE, about_closing(customer, scope, pause), _seal_in(text))
    return pause if isinstance(said, Word) and (said.by, said.reason) == (pause.by, pause.reason) else None


def opened(by_word: str, at: datetime) -> str:
    """What is kept of an opening: until when what was closed is open by it, and the sealed word of who says so."""
    return f"{_ms(at)} {by_word}"


def about_opening(customer: str | None, scope: str, at: datetime) -> tuple[str, ...]:
    """What is sealed of it: whatever was closed before that instant of the ledger is open. What is closed later is not."""
    return about_switch(customer, scope, _ms(at), None)


def opened_at(found: Mapping[str, str], customer: str | None, scope: str, seals: Seals) -> datetime | None:
    """What was closed before is open, says somebody who may; None where nobody has."""
    ms, _, word = found.get(f"{RESUMED}{scope}", "").partition(" ")
    try:
        at = _at(int(ms))
    except (ValueError, OverflowError, OSError):
        return None
    return at if isinstance(seals.said(Decision.RESUME, about_opening(customer, scope, at), word), Word) else None


def _seal_in(text: str) -> str:
    try:
        return _Kept.model_validate_json(text).seal
    except ValueError:
        return ""


def _ms(at: datetime | None) -> int:
    return round(at.timestamp() * 1000) if at else 0


def _at(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
