"""The EDRs, as a written list. To add one: `edr/x.py`, a line here, `simulator/x`, and a rig in `tests/edr/rigs.py`."""

from __future__ import annotations

from ..domain.endpoints import Vendor
from . import carbon_black_edr, crowdstrike
from .base import Entry

ADAPTERS: dict[Vendor, Entry] = {
    Vendor.CARBON_BLACK_EDR: Entry(carbon_black_edr.Config, carbon_black_edr.CarbonBlackEDR),
    Vendor.CROWDSTRIKE: Entry(crowdstrike.Config, crowdstrike.CrowdStrike),
}
