"""Which of MISP's warning lists are wanted: those of the well-known and of the operating system.

Left out: addresses (nothing is done to them), what is suspicious rather than honest (dynamic DNS, disposable mail, URL
shorteners), certificates' fingerprints, and what the public suffixes say better. Sites of a million ranks are too many: malware's
own are among them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Reach(StrEnum):
    """How far an entry of a list of domains goes."""

    #: The name itself: others may own what is below, as they do at sites that host.
    ALONE = "alone"
    #: As MISP has it: below, too, in a list of type `hostname` or `substring` and behind a dot; in one of type `string` the name itself.
    AS_MARKED = "as marked"
    #: No domains, but hashes.
    HASHES = "hashes"


class Wanted(NamedTuple):
    """`is_shipped`: small enough for the wheel. The others are taken by `arctl lists update` where they are found."""

    reach: Reach
    is_shipped: bool = True


#: By the folder's name.
CATALOGUE = {
    "automated-malware-analysis": Wanted(Reach.AS_MARKED),
    "captive-portals": Wanted(Reach.AS_MARKED),
    "cisco_top1000": Wanted(Reach.ALONE),
    "google": Wanted(Reach.AS_MARKED),
    "lots-project": Wanted(Reach.ALONE),
    "microsoft": Wanted(Reach.AS_MARKED),
    "microsoft-office365": Wanted(Reach.AS_MARKED),
    "microsoft-win10-connection-endpoints": Wanted(Reach.AS_MARKED),
    "moz-top500": Wanted(Reach.ALONE),
    "tranco10k": Wanted(Reach.ALONE),
    "empty-hashes": Wanted(Reach.HASHES),
    "common-ioc-false-positive": Wanted(Reach.HASHES),
    "ti-falsepositives": Wanted(Reach.HASHES),
    "nioc-filehash": Wanted(Reach.HASHES, is_shipped=False),
    "windows-binary-hashes": Wanted(Reach.HASHES, is_shipped=False),
}
