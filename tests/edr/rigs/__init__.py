"""One rig per vendor, as a written list: a context manager that takes the OS of its fleet and the twin's options."""

from ar_workers.domain.endpoints import Vendor

from .carbon_black_cloud import carbon_black_cloud
from .carbon_black_edr import carbon_black_edr
from .cortex_xdr import cortex_xdr
from .crowdstrike import crowdstrike
from .defender import defender
from .sentinelone import sentinelone

RIGS = {
    Vendor.CARBON_BLACK_CLOUD: carbon_black_cloud,
    Vendor.CARBON_BLACK_EDR: carbon_black_edr,
    Vendor.CORTEX_XDR: cortex_xdr,
    Vendor.CROWDSTRIKE: crowdstrike,
    Vendor.DEFENDER: defender,
    Vendor.SENTINELONE: sentinelone,
}
