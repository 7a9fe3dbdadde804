"""What an alert is to the readers' tests; each vendor's stand with its rig."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

from tests.builders import hash_of, sha256

AT = "2026-11-24T12:00:00.1234567Z"
EVIL_KEY = r"HKEY_CURRENT_USER\Software\Evil"
SHA256, SHA1, MD5 = sha256("evil"), hash_of("sha1", "evil"), hash_of("md5", "evil")
TOOL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"


class Sample(NamedTuple):
    """A format, a record of it, and where the endpoint's id, the title and the hash stand in it."""

    kind: str
    record: dict
    endpoint: tuple[str | int, ...]
    title: tuple[str | int, ...]
    sha256: tuple[str | int, ...]


def changed(record, *changes):
    """A copy of the record, with a value at each path: `(path, value)`."""
    copy = deepcopy(record)
    for path, value in changes:
        holder = copy
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = value
    return copy


def said(event):
    """What the event would have done: a word for each indicator, with a star where it may be acted on."""
    return [f"{ioc.indicator.type}{'*' if ioc.confirmed_malicious and ioc.safe_to_act else ''}" for ioc in event.iocs]
