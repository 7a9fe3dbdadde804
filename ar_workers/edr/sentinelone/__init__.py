"""SentinelOne Singularity: isolation and bans by its API, kill and delete by RemoteOps scripts, quarantine by threat.

Written on plain `requests`, not on the vendor's SDK: that comes from each customer's console under a licence of its
own, retries connections by itself and knows no difference between "not sent" and "outcome unknown".
`scripts/` holds the scripts that a customer uploads to the RemoteOps library; their ids stand in `Config.scripts`.
Facts: the vendor's OpenAPI as its clients publish it; what is not documented is read both ways.
"""

from ..base import Entry
from .adapter import SentinelOne
from .api import Config
from .feed import feed

__all__ = ["ENTRY", "Config", "SentinelOne"]

ENTRY = Entry(Config, SentinelOne, feed)
