"""The outcome table: what became of a POST, as a Result. For channels whose receiver has a URL and no library."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from ..domain.errors import Denied, NotSent, OutcomeUnknown
from ..domain.results import Answer, Result
from ..http import delay_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .egress import Reply

_OK, _REDIRECTS, _REFUSALS, _TOO_MANY, _FAULTS, _AWAY = 200, 300, 400, 429, 500, 503


def status_of(reply: Reply) -> str:
    """The refusal's code: what a receiver says in its body is not for our ledger."""
    return f"http {reply.status}"


def outcome(
    post: Callable[[], Reply],
    *,
    reference: Callable[[Reply], str],
    dedupes: bool,
    code: Callable[[Reply], str] = status_of,
) -> Result:
    """Post once, and say what it means. `reference` is asked of what was accepted, `code` of what was refused."""
    try:
        reply = post()
    except Denied as error:
        return Result(answer=Answer.PERMANENT, code=str(error))
    except NotSent as error:
        return Result(answer=Answer.RETRY, code=str(error))
    except OutcomeUnknown as error:
        return Result(answer=Answer.UNKNOWN, code=str(error))
    if _OK <= reply.status < _REDIRECTS:
        return Result(answer=Answer.ACCEPTED, reference=reference(reply))
    return _refused(reply, code(reply), dedupes=dedupes)


def _refused(reply: Reply, code: str, *, dedupes: bool) -> Result:
    """A fault may have come after the message was taken; only a receiver that knows repetitions may be told again at once."""
    wait = delay_of(reply.headers.get("retry-after"))
    if reply.status < _REFUSALS:
        return Result(answer=Answer.PERMANENT, code="redirect_refused")
    if reply.status == _TOO_MANY or (reply.status >= _FAULTS and (dedupes or (reply.status == _AWAY and wait))):
        return Result(answer=Answer.RETRY, code=code, retry_after=wait)
    return Result(answer=Answer.UNKNOWN if reply.status >= _FAULTS else Answer.PERMANENT, code=code, retry_after=wait)


def encoded(document: Any) -> bytes:
    """JSON in ASCII: the same bytes for the same document, and nobody can count them differently."""
    return json.dumps(document, separators=(",", ":")).encode()


def fitting(text: str, most: int) -> str:
    """The beginning of `text` that takes at most `most` encoded bytes, and how many characters are left out."""
    if len(encoded(text)) <= most:
        return text
    note = "… ({} more characters, see the threat)"
    room = most - len(encoded(note.format(len(text))))
    kept = bisect_right(range(1, len(text) + 1), room, key=lambda size: len(encoded(text[:size])))
    return text[:kept] + note.format(len(text) - kept)


def _with_comma(item: Any) -> int:
    return len(encoded(item)) + 1


def fitting_items(items: Sequence[Any], most: int, size: Callable[[Any], int] = _with_comma) -> tuple[list[Any], int]:
    """As many items as take at most `most` bytes, as `size` counts an item with its comma, and how many are left out."""
    for number, item in enumerate(items):
        most -= size(item)
        if most < 0:
            return list(items[:number]), len(items) - number
    return list(items), 0
