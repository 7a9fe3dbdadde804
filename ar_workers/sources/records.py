"""Files as records: NDJSON line by line, or one JSON document that is a record, a list, or an envelope with a list."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from ..domain.errors import InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

#: An event that names the most endpoints has a megabyte and a half.
LONGEST_LINE = 2**22
LARGEST_DOCUMENT = 64 * 2**20
#: Keys under which vendors' APIs put the list of records: Red Canary and SentinelOne, CrowdStrike, Carbon Black, Defender, Cortex.
ENVELOPE = ("data", "resources", "results", "value", "alerts")
_BOM = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """A record and where it stands: the line of an NDJSON file, or the position (from 1) in a document."""

    line: int
    payload: Any
    problem: InvalidEvent | None = None


def records(stream: BinaryIO) -> Iterator[Record]:
    """Every record of the stream, good or not: a bad line never stops the good ones.

    If the first line is a JSON value, the stream is NDJSON and read in constant memory. Otherwise it is one
    document over several lines, or NDJSON whose first line is bad.
    """
    first = stream.readline(LONGEST_LINE + 1).removeprefix(_BOM)
    if not first.strip() or _decoded(first, 1).problem is None:
        yield from _lines(first, stream)
        return
    buffer = first + stream.read(LARGEST_DOCUMENT)
    whole = _decoded(buffer, 1, longest=LARGEST_DOCUMENT)
    if whole.problem is None:
        yield from _unfolded(whole)
    elif any(_decoded(line, 1).problem is None for line in buffer.splitlines() if line.strip()[:1] in {b"{", b"["} and line.strip()[1:]):
        buffer += stream.readline(LARGEST_DOCUMENT)
        yield from _lines(b"", io.BufferedReader(io.BytesIO(buffer)), before=0)
        yield from _lines(b"", stream, before=len(buffer.splitlines()))
    else:
        yield whole


def _lines(first: bytes, stream: BinaryIO, before: int = 1) -> Iterator[Record]:
    if first.strip():
        yield from _unfolded(_decoded(first, 1))
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), start=before + 1):
        if line.strip():
            yield from _unfolded(_decoded(line, number))
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            _skip_rest(stream)


def _skip_rest(stream: BinaryIO) -> None:
    while (more := stream.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
        pass


def _unfolded(record: Record) -> Iterator[Record]:
    """A list, or an envelope that carries one, as its records; anything else as it is."""
    payload = _carried(record.payload)
    if not isinstance(payload, list):
        yield record
        return
    for position, each in enumerate(payload, start=1):
        yield Record(position if record.line == 1 else record.line, each)


def _carried(payload: Any) -> Any:
    """What an envelope holds: Cortex's is a `reply` around another one, which was once seen in a list of its own."""
    if not isinstance(payload, dict) or "reply" not in payload:
        return _listed(payload)
    reply = payload["reply"]
    pages = [_listed(page) for page in (reply if isinstance(reply, list) else [reply])]
    return [each for page in pages for each in (page if isinstance(page, list) else [page])]


def _listed(payload: Any) -> Any:
    if not isinstance(payload, dict) or {"type", "attributes"} & set(payload):
        return payload
    return next((payload[key] for key in ENVELOPE if isinstance(payload.get(key), list)), payload)


def _decoded(raw: bytes, number: int, *, longest: int = LONGEST_LINE) -> Record:
    if len(raw) > longest:
        return Record(number, None, InvalidEvent("line", f"is longer than {longest} bytes"))
    try:
        return Record(number, json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_no_duplicates))
    except UnicodeDecodeError as error:
        return Record(number, None, InvalidEvent("line", f"is not UTF-8 at byte {error.start}"))
    except json.JSONDecodeError as error:
        return Record(number + error.lineno - 1, None, InvalidEvent("line", f"is not JSON: {error.msg} at column {error.colno}"))
    except RecursionError:
        return Record(number, None, InvalidEvent("line", "is nested too deeply"))
    except ValueError as error:
        return Record(number, None, InvalidEvent("line", str(error)[:200]))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"has {name}, which is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take different ones of two equal keys; so neither is taken."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("has a key twice in one object")
    return found
