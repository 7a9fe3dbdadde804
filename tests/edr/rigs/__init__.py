"""One rig per vendor, as a written list: a context manager that takes the OS of its fleet and the twin's options."""

from ar_workers.domain.endpoints import Vendor

from .cortex_xdr import cortex_xdr
from .crowdstrike import crowdstrike

RIGS = {
    Vendor.CORTEX_XDR: cortex_xdr,
    Vendor.CROWDSTRIKE: crowdstrike,
}
