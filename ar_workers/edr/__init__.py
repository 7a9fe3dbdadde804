"""The EDRs, as a written list. To add one: `edr/x.py`, a line here, `simulator/x`, and a rig in `tests/edr/rigs/`."""

from __future__ import annotations

from ..domain.endpoints import Vendor
from . import carbon_black_cloud, carbon_black_edr, cortex_xdr, crowdstrike, defender, sentinelone
from .base import Entry

ADAPTERS: dict[Vendor, Entry] = {
    Vendor.CARBON_BLACK_CLOUD: Entry(carbon_black_cloud.Config, carbon_black_cloud.CarbonBlackCloud, carbon_black_cloud.feed),
    Vendor.CARBON_BLACK_EDR: Entry(carbon_black_edr.Config, carbon_black_edr.CarbonBlackEDR, carbon_black_edr.feed),
    Vendor.CORTEX_XDR: Entry(cortex_xdr.Config, cortex_xdr.CortexXDR, cortex_xdr.feed),
    Vendor.CROWDSTRIKE: Entry(crowdstrike.Config, crowdstrike.CrowdStrike, crowdstrike.feed),
    Vendor.DEFENDER: Entry(defender.Config, defender.Defender, defender.feed),
    Vendor.SENTINELONE: Entry(sentinelone.Config, sentinelone.SentinelOne, sentinelone.feed),
}
