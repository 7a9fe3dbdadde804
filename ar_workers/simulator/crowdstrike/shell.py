"""How the sensor's own shell takes a command string apart; it is no POSIX shell."""

from __future__ import annotations

QUOTES = frozenset("'\"")
SEPARATOR = ";"


def split_commands(text: str) -> list[list[str]]:
    """The words of every command in the string.

    A line break, even within quotes, and a semicolon outside quotes start another command: whatever
    a client lets slip into an argument is carried out, and so is seen in the journal. A quote that
    never closes closes with its line. A backslash is only a backslash: Windows paths are full of them.
    """
    lines = text.replace("\r", "\n").split("\n")
    return [words for line in lines for words in _line(line)]


def _line(line: str) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    word: str | None = None
    quote = ""
    for mark in [*line, SEPARATOR] if not _open_quote(line) else [*line, _open_quote(line), SEPARATOR]:
        if quote:
            word, quote = (word, "") if mark == quote else ((word or "") + mark, quote)
        elif mark in QUOTES:
            word, quote = word or "", mark
        elif mark == SEPARATOR or mark.isspace():
            if word is not None:
                commands[-1].append(word)
            word = None
            if mark == SEPARATOR:
                commands.append([])
        else:
            word = (word or "") + mark
    return [words for words in commands if words]


def _open_quote(line: str) -> str:
    """The quote mark that is still open at the end of the line, if any."""
    quote = ""
    for mark in line:
        if quote:
            quote = "" if mark == quote else quote
        elif mark in QUOTES:
            quote = mark
    return quote
