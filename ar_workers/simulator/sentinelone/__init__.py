"""SentinelOne Singularity, as strict as the vendor: agents, blocklist, indicators, threats and RemoteOps."""

from .twin import SentinelOneTwin

__all__ = ["TWIN", "SentinelOneTwin"]

TWIN = SentinelOneTwin
