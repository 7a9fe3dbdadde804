"""Carbon Black EDR (Response) on the customer's own server: isolation and hash bans by its API, the rest by Live Response.

Written on plain `requests`, not on cbapi: its constructor already makes network calls, its `isolate()` blocks without a
deadline, it repeats Live Response commands by itself, and it cannot tell "not sent" from "outcome unknown".
Not marked: banning a domain (feeds and watchlists only alert) and quarantining a file (there is no such API).
Facts: the vendor's API reference and SDK sources; what is not documented is read both ways.
"""

from ..base import Entry
from .adapter import CarbonBlackEDR
from .api import Config
from .feed import feed

__all__ = ["ENTRY", "CarbonBlackEDR", "Config"]

ENTRY = Entry(Config, CarbonBlackEDR, feed)
