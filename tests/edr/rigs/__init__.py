"""What the suites know of each vendor: its module here says so in its `KIT`."""

from importlib import import_module

from ar_workers.domain.endpoints import Vendor

KITS = {vendor: import_module(f"{__name__}.{vendor}").KIT for vendor in Vendor}
#: Each is a context manager that takes the OS of its fleet and the twin's options.
RIGS = {vendor: kit.rig for vendor, kit in KITS.items()}
SAMPLES = {name: sample for kit in KITS.values() for name, sample in kit.samples.items()}
