"""What all channels share: what their entries say, and clipping and cleaning of text that somebody else wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..domain.text import cleaned

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from ..domain.checkups import Check
    from ..domain.notifications import Notification
    from ..ports import Channel

CONNECT, READ = 5.0, 15.0
#: `Result.code` is kept in the ledger: one line, and never what a provider echoed at length.
LONGEST_CODE = 200


class Entry(NamedTuple):
    """The `ENTRY` of a channel's module: what its settings must be, and the class."""

    config: type[BaseModel]
    channel: Callable[..., Channel]
    #: Settings -> whether it would work, without telling anybody anything.
    probe: Callable[[Any], Check]
    #: Whether templates give its words; the others have no room for any.
    is_templated: bool = False


def printable(text: str) -> str:
    """`text` line by line, without unprintable characters."""
    return "\n".join(map(cleaned, text.splitlines()))


def clipped(text: str, most: int) -> str:
    """`text` without unprintable characters, at most `most` characters long, saying where it was cut how much is missing."""
    plain = printable(text)
    if len(plain) <= most:
        return plain
    note = f"… ({len(plain)} more characters, see the threat)"
    kept = most - len(note)
    return plain[:kept] + note.replace(str(len(plain)), str(len(plain) - kept), 1)


def one_line(text: str, most: int) -> str:
    """`text` as a single line of printable characters, at most `most` long, and with an ellipsis where it was cut."""
    plain = cleaned(text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def essentials(notification: Notification) -> list[tuple[str, str]]:
    """What is never clipped: severity, classification, and the link."""
    threat = notification.threat
    if threat is None:
        return []
    return [("Severity", threat.severity.upper()), ("Classification", cleaned(threat.classification)), ("Threat", threat.url)]
