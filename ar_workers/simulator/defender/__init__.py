"""Microsoft Defender for Endpoint, as strict as the vendor: machines and their actions, live response, indicators, alerts."""

from .twin import DefenderTwin

__all__ = ["TWIN", "DefenderTwin"]

TWIN = DefenderTwin
