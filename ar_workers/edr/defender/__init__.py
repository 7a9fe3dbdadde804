"""Microsoft Defender for Endpoint: isolation, quarantine and indicators by its API, kill and delete by live response.

Written on plain `requests`: there is no official SDK for this API, and msal, which only fetches tokens, takes no other
authority than https ones, hides its own retries and returns errors as values. One token POST is shorter than that, and
keeps our deadlines, the one-request rule and the difference between "not sent" and "outcome unknown".

Permissions of the app: Machine.Read.All, Machine.Isolate, Machine.StopAndQuarantine, Machine.LiveResponse,
Library.Manage (to see that the scripts are the ones meant), Ti.ReadWrite.All, File.Read.All.
Facts: the API's public documentation and several independent connectors; what is not documented is read both ways.
"""

from ..base import Entry
from .adapter import Defender
from .api import Config
from .feed import feed

__all__ = ["ENTRY", "Config", "Defender"]

ENTRY = Entry(Config, Defender, feed)
