"""A pretend Carbon Black EDR server, as strict as the real one."""

from .twin import CarbonBlackEDRTwin

__all__ = ["TWIN", "CarbonBlackEDRTwin"]

TWIN = CarbonBlackEDRTwin
