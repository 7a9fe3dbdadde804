"""What no action of anybody's may touch, as data: processes, files, registry keys and services, each with its source.

A `*` in an entry stands for any run of characters within one name. All are lower case and in the one spelling in which
`paths` and `keys` compare.
"""

from __future__ import annotations

from .files import POSIX_FILES, WINDOWS_FILES
from .keys import AUTOSTART_KEYS, AUTOSTART_VALUES, BRANCHES, KEYS, WHOLE_KEYS
from .listed import Listed, entries
from .processes import PROCESSES
from .services import SERVICES

__all__ = [
    "AUTOSTART_KEYS",
    "AUTOSTART_VALUES",
    "BRANCHES",
    "KEYS",
    "POSIX_FILES",
    "PROCESSES",
    "SENSORS",
    "SERVICES",
    "WHOLE_KEYS",
    "WINDOWS_FILES",
    "Listed",
    "entries",
]

#: The agents of the six EDRs, as the lists call their owners.
SENSORS = frozenset({"Microsoft Defender", "CrowdStrike", "SentinelOne", "Carbon Black Cloud", "Carbon Black EDR", "Cortex XDR"})
