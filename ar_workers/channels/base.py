"""What all channels share: clipping and cleaning of text that somebody else wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.text import cleaned

if TYPE_CHECKING:
    from ..domain.notifications import Notification

CONNECT, READ = 5.0, 15.0
#: `Result.code` is kept in the ledger: one line, and never what a provider echoed at length.
LONGEST_CODE = 200


def clipped(text: str, most: int) -> str:
    """`text` without unprintable characters, at most `most` characters long, saying so where it was cut."""
    plain = "\n".join(map(cleaned, text.splitlines()))
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def one_line(text: str, most: int) -> str:
    """`text` as a single line of printable characters, at most `most` long."""
    return clipped(cleaned(text), most)


def essentials(notification: Notification) -> list[tuple[str, str]]:
    """What is never clipped: severity, classification, and the link."""
    threat = notification.threat
    if threat is None:
        return []
    return [("Severity", threat.severity.upper()), ("Classification", cleaned(threat.classification)), ("Threat", threat.url)]
