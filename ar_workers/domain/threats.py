"""A threat as it was published, and the notes that people add to it."""

from __future__ import annotations

import string
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

from pydantic import StringConstraints, field_validator

from .model import Value
from .text import Identifier, Line, Prose


class Severity(StrEnum):
    """Red Canary's words: high = active, respond now; medium = urgent; low = usually a control gap. No "critical"."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


Url = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9.-]+(:\d{1,5})?(/[^\s?#<>\"'|\\^`{}]*)?$", max_length=500)]


class Threat(Value):
    """What was published. `url` is the console page; a query or fragment is cut off, so that no token or name leaks.

    What is not printable ASCII is percent-encoded (RFC 3986): a link must survive every channel, letter by letter.
    """

    id: Identifier
    severity: Severity
    classification: Line
    title: Line = "Threat"
    url: Url
    summary: Prose = ""

    @field_validator("url", mode="before")
    @classmethod
    def _without_query(cls, url: object) -> object:
        return quote(url.partition("?")[0].partition("#")[0], safe=string.printable) if isinstance(url, str) else url


class Author(StrEnum):
    """Who wrote a note."""

    CUSTOMER = "customer"
    TRE = "tre"


class Note(Value):
    """A comment on a threat. A TRE's note with `remediation_complete` is the summary that the customer is told of."""

    author: Author
    name: Line
    text: Prose
    remediation_complete: bool = False
