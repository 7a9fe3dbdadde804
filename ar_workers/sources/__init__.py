"""Input formats, as a written list: format name -> reader of one record. To add one: `sources/x.py` and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import event, redcanary

if TYPE_CHECKING:
    from ..ports import Reader

FORMATS: dict[str, Reader] = {
    "event": event.read,
    "redcanary": redcanary.read,
}
