"""What happened at the other end of the wire: every request, every effect, every message, in order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO
from urllib.parse import parse_qsl, urlencode

from .clock import VirtualClock

Entry = dict[str, Any]

REDACTED = "[redacted]"
SECRET_FIELDS = frozenset(
    {
        "access_token",
        "authorization",
        "client_secret",
        "password",
        "refresh_token",
        "routing_key",
        "secret",
        "sig",
        "token",
    }
)


def redact(value: Any) -> Any:
    """The same JSON value with every secret field's content replaced."""
    if isinstance(value, Mapping):
        return {key: REDACTED if str(key).lower() in SECRET_FIELDS else redact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


def readable_body(raw: bytes, content_type: str) -> Any:
    """A request body as it may be written down: parsed, its secrets removed; what cannot be parsed may hold some.

    JSON is tried first, since clients send it under the form's content type as well.
    """
    if not raw:
        return None
    text = raw.decode("utf-8", "replace")
    try:
        return redact(json.loads(text))
    except ValueError:
        if "form-urlencoded" in content_type:
            return redact(dict(parse_qsl(text)))
        return f"[unreadable: {len(raw)} bytes]"


def readable_path(path: str) -> str:
    """The path without the secret that is the end of an incoming webhook's."""
    return f"/services/{REDACTED}" if path.startswith("/services/") else path


def readable_query(query: Mapping[str, list[str]]) -> str:
    """The query string with every secret field's content replaced."""
    pairs = [(key, item) for key, items in query.items() for item in items]
    return urlencode([(key, REDACTED if key.lower() in SECRET_FIELDS else item) for key, item in pairs])


class Journal:
    """A thread-safe, append-only list; with a path it is also an NDJSON file, flushed line by line.

    Every entry has `seq` (from 1), `at` (virtual epoch seconds), `wall` (real epoch seconds),
    `kind` (request, effect or message), `vendor` and `tenant`.
    """

    def __init__(self, clock: VirtualClock, path: Path | None = None) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._grown = threading.Condition()
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        with self._grown:
            return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

    def append(self, kind: str, *, vendor: str, tenant: str, **facts: Any) -> Entry:
        with self._grown:
            entry: Entry = {
                "seq": len(self._entries) + 1,
                "at": self._clock.now(),
                "wall": time.time(),
                "kind": kind,
                "vendor": vendor,
                "tenant": tenant,
                **facts,
            }
            self._entries.append(entry)
            self._write(entry)
            self._grown.notify_all()
        return entry

    def effect(self, verb: str, target: str, *, changed: bool, vendor: str, tenant: str, **facts: Any) -> Entry:
        """Write down that somebody asked for `verb`, and whether the pretend world really changed."""
        return self.append(
            "effect",
            vendor=vendor,
            tenant=tenant,
            verb=verb,
            target=target,
            changed=changed,
            **facts,
        )

    def entries(self, *, since: int = 0, **wanted: Any) -> list[Entry]:
        """Entries after `seq` since whose fields equal those wanted: `entries(kind="effect")`."""
        with self._grown:
            later = self._entries[since:]
        return [entry for entry in later if matches(entry, wanted)]

    def requests(self, **wanted: Any) -> list[Entry]:
        return self.entries(kind="request", **wanted)

    def effects(self, verb: str | None = None, **wanted: Any) -> list[Entry]:
        if verb is not None:
            wanted["verb"] = verb
        return self.entries(kind="effect", **wanted)

    def messages(self, **wanted: Any) -> list[Entry]:
        return self.entries(kind="message", **wanted)

    def wait_for(self, wanted: Callable[[Entry], bool], *, timeout: float = 5.0) -> Entry:
        """The first entry that is wanted, waiting for it in real time; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self._grown:
            while True:
                fresh = self._entries[seen:]
                seen += len(fresh)
                found = next((entry for entry in fresh if wanted(entry)), None)
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError("no such journal entry")
                self._grown.wait(left)

    def close(self) -> None:
        with self._grown:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write(self, entry: Entry) -> None:
        if self._file is None:
            return
        self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
        self._file.flush()


def matches(entry: Entry, wanted: Mapping[str, Any]) -> bool:
    return all(entry.get(field) == value for field, value in wanted.items())
