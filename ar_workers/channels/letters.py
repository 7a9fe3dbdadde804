"""The two bodies of a mail: text that is complete by itself, and HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .templating import OURS, Templates, plain_text

if TYPE_CHECKING:
    from ..domain.notifications import Notification


class Letter(NamedTuple):
    """`html` is empty if its template failed: then the text is all there is."""

    text: str
    html: str
    has_failed: bool


def letter(note: Notification, templates: Templates = OURS) -> Letter:
    """The notification as a letter. A template that fails costs its looks, never the letter."""
    text = templates.words(note, "mail.txt", plain_text)
    html = templates.words(note, "mail.html", lambda _: "")
    return Letter(text.text.rstrip("\n") + "\n", html.text and html.text + "\n", text.has_failed or html.has_failed)
