"""Palo Alto Cortex XDR: isolation, bans and quarantine by its API, kill and delete by two scripts of ours in its library.

Written on plain `requests`: there is no official Python SDK, and the community's client has neither deadlines for a whole
call nor our distinction between "not sent" and "outcome unknown".
The vendor's own scripts are not used: its kill ends every process of a name, and its deletion confirms no content.
It cannot block a domain: an IOC rule only detects, and what blocks is a firewall. So that action is not marked here.
"""

from ..base import Entry
from .adapter import CortexXDR
from .api import Config
from .feed import feed

__all__ = ["ENTRY", "Config", "CortexXDR"]

ENTRY = Entry(Config, CortexXDR, feed)
