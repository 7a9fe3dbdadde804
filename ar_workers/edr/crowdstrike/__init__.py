"""CrowdStrike Falcon: isolation and bans by its API, kill and delete through Real Time Response (RTR).

Written on plain `requests`, not on falconpy: eight routes, one envelope, and our own deadlines and one-request rule;
falconpy has neither a default timeout nor our distinction between "not sent" and "outcome unknown".
It cannot quarantine an arbitrary file: its quarantine knows only files that Falcon itself has put there, so the
action is not marked here; a banned hash is quarantined by Falcon at its next execution.
Facts: Falcon's OpenAPI and SDK sources; what is not documented is read both ways.
"""

from ..base import Entry
from .adapter import CrowdStrike
from .api import Config
from .feed import feed

__all__ = ["ENTRY", "Config", "CrowdStrike"]

ENTRY = Entry(Config, CrowdStrike, feed)
