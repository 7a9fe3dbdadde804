"""What a checkup found: one line per thing that was looked at, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from .model import Value


class Light(StrEnum):
    """How it stands."""

    OK = "ok"
    #: Works, or cannot be known without acting: a person may want to look.
    WARN = "warn"
    RED = "red"


class Check(Value):
    """`name` says what was looked at, `detail` what was seen, `fix` what to do; the vendor's words in them are cleaned."""

    name: str
    light: Light
    detail: str = ""
    fix: str = ""


def ok(name: str, detail: str = "") -> Check:
    """It is as it should be."""
    return Check(name=name, light=Light.OK, detail=detail)


def warn(name: str, detail: str, fix: str = "") -> Check:
    """It may matter."""
    return Check(name=name, light=Light.WARN, detail=detail, fix=fix)


def red(name: str, detail: str, fix: str = "") -> Check:
    """Actions or notifications will fail."""
    return Check(name=name, light=Light.RED, detail=detail, fix=fix)
