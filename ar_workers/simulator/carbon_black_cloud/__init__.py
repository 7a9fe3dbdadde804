"""Carbon Black Cloud, as strict as the vendor: devices, asset groups, reputation overrides, Live Response and alerts."""

from .twin import CarbonBlackCloudTwin

__all__ = ["TWIN", "CarbonBlackCloudTwin"]

TWIN = CarbonBlackCloudTwin
