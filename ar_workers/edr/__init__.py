"""The EDRs, as a written list. To add one: `edr/x.py`, a line here, `simulator/x`, and a rig in `tests/edr/rigs.py`."""

from __future__ import annotations

from ..domain.endpoints import Vendor
from . import cortex_xdr, crowdstrike
from .base import Entry

ADAPTERS: dict[Vendor, Entry] = {
    Vendor.CORTEX_XDR: Entry(cortex_xdr.Config, cortex_xdr.CortexXDR),
    Vendor.CROWDSTRIKE: Entry(crowdstrike.Config, crowdstrike.CrowdStrike),
}
