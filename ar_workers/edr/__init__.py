"""The EDRs: each `Vendor` is a module of its name here, which says in its `ENTRY` what it consists of."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..domain.endpoints import Vendor

if TYPE_CHECKING:
    from .base import Entry

ADAPTERS: dict[Vendor, Entry] = {vendor: import_module(f"{__name__}.{vendor}").ENTRY for vendor in Vendor}
