"""What the commands of Live Response find and do on an endpoint; a failure is a result code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..endpoints import Endpoint, Process, long_hive
from ..languages import Says
from .options import Options

Row = dict[str, Any]

FILE_NOT_FOUND, PATH_NOT_FOUND, ACCESS_DENIED, SHARING, INVALID = 0x80070002, 0x80070003, 0x80070005, 0x80070020, 0x80070057
#: What a sensor without HRESULTs would write for them.
ERRNO = {FILE_NOT_FOUND: 2, PATH_NOT_FOUND: 2, ACCESS_DENIED: 13, SHARING: 16, INVALID: 22}
SAID = {
    FILE_NOT_FOUND: Says.NOT_FOUND,
    PATH_NOT_FOUND: Says.NO_FOLDER,
    ACCESS_DENIED: Says.DENIED,
    SHARING: Says.IN_USE,
    INVALID: Says.BAD_PARAMETER,
}


@dataclass
class Result:
    """What a command brought, and its effect: (verb, target, changed). `content` is a file for the server to keep."""

    body: Row = field(default_factory=dict)
    code: int = 0
    effect: tuple[str, str, bool] | None = None
    content: bytes | None = None


def process_list(endpoint: Endpoint, target: Any, options: Options) -> Result:
    """The system's own process leads, without a path."""
    del target, options
    first = Process(4 if endpoint.platform == "Windows" else 1, "")
    return Result({"processes": [_process(endpoint, one) for one in (first, *endpoint.processes)]})


def _process(endpoint: Endpoint, one: Process) -> Row:
    return {
        "pid": one.pid,
        "path": one.path.lower() if endpoint.platform == "Windows" else one.path,
        "command_line": one.command_line,
        "username": "NT AUTHORITY\\SYSTEM",
        "parent": 0,
        "parent_guid": "00000001-0000-0000-0000-000000000000",
        "proc_guid": f"{int(endpoint.agent_id):08x}-0000-{one.pid:04x}-01d2-2461a85e4546",
        "create_time": int(datetime.fromisoformat(one.started).timestamp()),
        "sid": "s-1-5-18",
    }


def kill(endpoint: Endpoint, target: Any, options: Options) -> Result:
    """The code for a missing process is the vendor's own, from a recorded answer."""
    del options
    is_gone = str(target).isdecimal() and endpoint.kill(int(target))
    return Result(code=0 if is_gone else INVALID, effect=("kill_process", str(target), is_gone))


def directory_list(endpoint: Endpoint, target: Any, options: Options) -> Result:
    """A folder's path ends with its separator, or with a star."""
    del options
    separator = "\\" if endpoint.platform == "Windows" else "/"
    folder = str(target).removesuffix("*")
    inside = endpoint.files_under(folder) if folder.endswith(separator) else []
    if not inside:
        return Result(code=PATH_NOT_FOUND)
    rest = [(one.path[len(folder) :].partition(separator), one) for one in inside]
    folders = {name: _entry(name, 0, "DIRECTORY") for (name, below, _), _ in rest if below}
    files = [_entry(name, len(endpoint.content(one)), "ARCHIVE") for (name, below, _), one in rest if not below]
    return Result({"files": [_entry(".", 0, "DIRECTORY"), _entry("..", 0, "DIRECTORY"), *folders.values(), *files]})


def _entry(name: str, size: int, attribute: str) -> Row:
    times = {"create_time": 1471897244, "last_access_time": 1476390670, "last_write_time": 1476390670}
    return {"filename": name, "size": size, "attributes": [attribute], **times}


def get_file(endpoint: Endpoint, target: Any, options: Options) -> Result:
    del options
    found = endpoint.file(str(target))
    if found and found.locked:
        return Result(code=SHARING)
    return Result(content=endpoint.content(found)) if found else Result(code=FILE_NOT_FOUND)


def delete_file(endpoint: Endpoint, target: Any, options: Options) -> Result:
    del options
    is_gone = endpoint.delete(str(target))
    failure = SHARING if endpoint.is_locked(str(target)) else FILE_NOT_FOUND
    return Result(code=0 if is_gone else failure, effect=("delete_file", str(target), is_gone))


def enum_key(endpoint: Endpoint, target: Any, options: Options) -> Result:
    del options
    key = endpoint.registry_key(str(target))
    if key is None:
        return Result(code=FILE_NOT_FOUND)
    values = [_value(name, text) for name, text in endpoint.registry[key].items()]
    return Result({"values": values, "sub_keys": [one.rpartition("\\")[2] for one in _below(endpoint, key)]})


def query_value(endpoint: Endpoint, target: Any, options: Options) -> Result:
    del options
    key, _, name = str(target).rpartition("\\")
    found = endpoint.registry_value(key, name)
    return Result({"value": _value(found[1], endpoint.registry[found[0]][found[1]])}) if found else Result(code=FILE_NOT_FOUND)


def delete_key(endpoint: Endpoint, target: Any, options: Options) -> Result:
    key = endpoint.registry_key(str(target))
    effect = "delete_registry_key", str(target)
    if key is None:
        return Result(code=FILE_NOT_FOUND, effect=(*effect, False))
    below = _below(endpoint, key)
    if below and options.sub_keys == "refused":
        return Result(code=ACCESS_DENIED, effect=(*effect, False))
    for one in (key, *below):
        del endpoint.registry[one]
    return Result(effect=(*effect, True))


def delete_value(endpoint: Endpoint, target: Any, options: Options) -> Result:
    """The value's name is the last part of the path, wherever its backslashes come from."""
    del options
    key, _, name = str(target).rpartition("\\")
    is_gone = endpoint.unregister(key, name)
    return Result(code=0 if is_gone else FILE_NOT_FOUND, effect=("delete_registry_key", str(target), is_gone))


def _value(name: str, text: str) -> Row:
    return {"value_name": name, "value_data": text, "value_type": "REG_SZ"}


def _below(endpoint: Endpoint, key: str) -> list[str]:
    stem = long_hive(key).casefold() + "\\"
    return [one for one in endpoint.registry if long_hive(one).casefold().startswith(stem)]


Command = Callable[[Endpoint, Any, Options], Result]

COMMANDS: dict[str, Command] = {
    "process list": process_list,
    "kill": kill,
    "directory list": directory_list,
    "get file": get_file,
    "delete file": delete_file,
    "reg enum key": enum_key,
    "reg query value": query_value,
    "reg delete key": delete_key,
    "reg delete value": delete_value,
}
#: These change something.
ORDERS = frozenset({"kill", "delete file", "reg delete key", "reg delete value"})
#: These take no `object`.
BARE = frozenset({"process list"})


def supported(endpoint: Endpoint) -> list[str]:
    """There is no registry but on Windows."""
    return [name for name in COMMANDS if endpoint.platform == "Windows" or not name.startswith("reg ")]
