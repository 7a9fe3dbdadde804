"""Carbon Black Cloud: isolation and bans by its platform API, kill and delete through Live Response.

Written on plain `requests`, not on carbon-black-cloud-sdk: that retries writes on 502 and 504, ignores 429 and
Retry-After, waits for ever by default, keeps what it read for a minute (a stale `quarantined`) and starts threads.
It cannot ban a domain (a watchlist only alerts, the firewall takes addresses) nor quarantine a file: there is no
public API for either, so neither is marked.
Facts: the vendor's developer pages and its SDK's sources; what is not documented is read both ways.
"""

from ..base import Entry
from .adapter import CarbonBlackCloud
from .api import Config
from .feed import feed

__all__ = ["ENTRY", "CarbonBlackCloud", "Config"]

ENTRY = Entry(Config, CarbonBlackCloud, feed)
