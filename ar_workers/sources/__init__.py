"""Input formats: format name -> reader of one record. Each is a module of its name here, with a `read`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..domain.endpoints import Vendor

if TYPE_CHECKING:
    from ..ports import Reader

#: Every EDR's alerts, and beside them our own events and Red Canary's detections.
FORMATS: dict[str, Reader] = {name: import_module(f"{__name__}.{name}").read for name in sorted((*map(str, Vendor), "event", "redcanary"))}
