"""How the sensor's own shell takes a command string apart; it is no POSIX shell."""

from __future__ import annotations

SEPARATORS = frozenset("\n\r;")
QUOTES = frozenset("'\"")


class Unreadable(ValueError):
    """A quote that never closes."""


def split_commands(text: str) -> list[list[str]]:
    """The words of every command in the string.

    A newline or a semicolon outside quotes starts another command, so that whatever a client lets
    slip into an argument is carried out and seen. Quotes group words; a backslash is only a
    backslash, for Windows paths are full of them.
    """
    commands: list[list[str]] = []
    words: list[str] = []
    word: str | None = None
    quote = ""
    for mark in [*text, "\n"]:
        if quote:
            word, quote = _quoted(word or "", quote, mark)
        elif mark in QUOTES:
            word, quote = word or "", mark
        elif mark in SEPARATORS or mark.isspace():
            if word is not None:
                words.append(word)
            word = None
            if mark in SEPARATORS and words:
                commands.append(words)
                words = []
        else:
            word = (word or "") + mark
    if quote:
        raise Unreadable("unterminated quote")
    return commands


def _quoted(word: str, quote: str, mark: str) -> tuple[str, str]:
    """A newline ends a quote too: the shell reads line by line."""
    if mark == quote:
        return word, ""
    return word + mark, quote
