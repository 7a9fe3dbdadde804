"""The EDRs, as a written list. To add one: `edr/x.py`, a line here, `simulator/x`, and a rig in `tests/edr/rigs.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..domain.endpoints import Vendor
from .crowdstrike import CrowdStrike

if TYPE_CHECKING:
    from .base import EDRAdapter

ADAPTERS: dict[Vendor, type[EDRAdapter]] = {
    Vendor.CROWDSTRIKE: CrowdStrike,
}
