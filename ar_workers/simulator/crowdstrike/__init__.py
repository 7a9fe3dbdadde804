"""CrowdStrike Falcon, as strict as the vendor: hosts, host groups, custom IOCs and Real Time Response."""

from .twin import CrowdStrikeTwin

__all__ = ["TWIN", "CrowdStrikeTwin"]

TWIN = CrowdStrikeTwin
