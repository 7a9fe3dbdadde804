"""The EDRs, as a written list. To add one: `edr/x.py`, a line here, `simulator/x`, and a rig in `tests/edr/rigs.py`."""

from __future__ import annotations

from ..domain.endpoints import Vendor
from . import crowdstrike, sentinelone
from . import crowdstrike, defender
from .base import Entry

ADAPTERS: dict[Vendor, Entry] = {
    Vendor.CROWDSTRIKE: Entry(crowdstrike.Config, crowdstrike.CrowdStrike),
    Vendor.SENTINELONE: Entry(sentinelone.Config, sentinelone.SentinelOne),
    Vendor.DEFENDER: Entry(defender.Config, defender.Defender),
}
