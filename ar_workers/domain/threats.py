"""A threat as it was published, and the notes that people add to it."""

from __future__ import annotations

import re
import string
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

from pydantic import StringConstraints, field_validator

from .model import Value
from .text import Identifier, Prose, Shown, otherwise


class Severity(StrEnum):
    """Red Canary's words: high = active, respond now; medium = soon; low = usually a control gap. No "critical".

    Unknown is what its sender did not grade, or in a word that nobody wrote down: people are told, and nothing is acted on.
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


_URL = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s?#<>\"'|\\^`{}]*)?$"
_LONGEST_URL = 500
Url = Annotated[str, StringConstraints(pattern=_URL, max_length=_LONGEST_URL)]
#: In place of a link that cannot be read: it surely leads nowhere (RFC 2606), and stops no containment.
UNREADABLE_URL = "https://url-not-readable.invalid/"


class Threat(Value):
    """What was published. `url` is the console page; a query or fragment is cut off, so that no token or name leaks.

    What is not printable ASCII is percent-encoded (RFC 3986): a link must survive every channel, letter by letter.
    What stands beside the id and the severity is only shown, and refuses no threat.
    """

    id: Identifier
    severity: Severity
    classification: Annotated[Shown, otherwise("not classified")] = "not classified"
    title: Annotated[Shown, otherwise("Threat")] = "Threat"
    url: Url = UNREADABLE_URL
    summary: Prose = ""

    @field_validator("url", mode="before")
    @classmethod
    def _readable(cls, url: object) -> str:
        bare = url.partition("?")[0].partition("#")[0] if isinstance(url, str) else ""
        try:
            link = quote(bare[: _LONGEST_URL + 1], safe=string.printable)
        except UnicodeEncodeError:  # half of a surrogate pair
            return UNREADABLE_URL
        return link if len(link) <= _LONGEST_URL and re.fullmatch(_URL, link) else UNREADABLE_URL


class Author(StrEnum):
    """Who wrote a note."""

    CUSTOMER = "customer"
    TRE = "tre"


class Note(Value):
    """A comment on a threat. A TRE's note with `remediation_complete` is the summary that the customer is told of."""

    author: Author
    name: Annotated[Shown, otherwise("not named")]
    text: Prose
    remediation_complete: bool = False
