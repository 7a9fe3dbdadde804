"""Palo Alto Cortex XDR, as strict as the vendor: endpoints, orders, block list, quarantine, scripts and alerts."""

from .twin import CortexTwin

__all__ = ["TWIN", "CortexTwin"]

TWIN = CortexTwin
