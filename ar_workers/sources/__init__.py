"""Input formats, as a written list: format name -> reader of one record. To add one: `sources/x.py` and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    carbon_black_cloud,
    carbon_black_edr,
    cortex_xdr,
    crowdstrike,
    defender,
    event,
    redcanary,
    sentinelone,
)

if TYPE_CHECKING:
    from ..ports import Reader

FORMATS: dict[str, Reader] = {
    "carbon_black_cloud": carbon_black_cloud.read,
    "carbon_black_edr": carbon_black_edr.read,
    "cortex_xdr": cortex_xdr.read,
    "crowdstrike": crowdstrike.read,
    "defender": defender.read,
    "event": event.read,
    "redcanary": redcanary.read,
    "sentinelone": sentinelone.read,
}
