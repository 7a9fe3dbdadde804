"""The output of a script: fetched by the console's signed link, from hosts that are expected, and searched for our line."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...domain.errors import Denied, VendorFault
from ...http import HttpSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import Config

MOST_FILES, MOST_BYTES = 20, 2**20


def printed(url: str, order: str, config: Config) -> dict[str, Any] | None:
    """The line of JSON that the script printed for this order, or None. Raises Denied for a link to elsewhere."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    own = urlsplit(config.base_url)
    is_expected = parts.scheme == "https" and any(host == each or host.endswith(f".{each}") for each in config.result_hosts)
    if not is_expected and (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise Denied(f"the link to the script's output leads to {host!r}, which is not among result_hosts")
    session = HttpSession(
        f"{parts.scheme}://{parts.netloc}", ca_file=config.ca_file, connect=config.connect_timeout, read=config.read_timeout
    )
    raw = session.download(parts.path + (f"?{parts.query}" if parts.query else ""), what="output of a script")
    return next((line for line in _lines(raw) if line.get("ar_workers") == order), None) if order else None


def _lines(raw: bytes) -> Iterator[dict[str, Any]]:
    for text in _texts(raw):
        for line in text.splitlines():
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                yield found


def _texts(raw: bytes) -> Iterator[str]:
    """The files of a ZIP, or the one text that it is instead."""
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        yield _decoded(raw)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for name in archive.namelist()[:MOST_FILES]:
                with archive.open(name) as file:
                    yield _decoded(file.read(MOST_BYTES))
    except Exception as error:  # noqa: BLE001 - zipfile tells of damage by a dozen kinds of error, struct's and lzma's among them
        raise VendorFault(f"the script's output cannot be unpacked ({type(error).__name__})") from None


def _decoded(raw: bytes) -> str:
    """PowerShell may write UTF-16."""
    encoding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    return raw.decode(encoding, "replace")
