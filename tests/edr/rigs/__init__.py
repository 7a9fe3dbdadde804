"""One rig per vendor, as a written list: a context manager that takes the OS of its fleet and the twin's options."""

from ar_workers.domain.endpoints import Vendor

from .crowdstrike import crowdstrike
from .sentinelone import sentinelone

RIGS = {
    Vendor.CROWDSTRIKE: crowdstrike,
    Vendor.SENTINELONE: sentinelone,
}
from .defender import defender

RIGS = {Vendor.CROWDSTRIKE: crowdstrike, Vendor.DEFENDER: defender}
