"""What Live Response commands bring and do on the endpoint; a failure is a Windows result code, never an HTTP status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..endpoints import Endpoint, long_hive
from ..languages import Says
from .options import Options

Row = dict[str, Any]

NOT_FOUND, NO_PATH, DENIED, SHARING, BAD_PARAMETER = 0x80070002, 0x80070003, 0x80070005, 0x80070020, 0x80070057
SAID = {
    NOT_FOUND: Says.NOT_FOUND,
    NO_PATH: Says.NO_FOLDER,
    DENIED: Says.DENIED,
    SHARING: Says.IN_USE,
    BAD_PARAMETER: Says.BAD_PARAMETER,
}
_FILETIME_EPOCH = 11_644_473_600


@dataclass
class Result:
    """`code` 0 is success; `effects` are (verb, target, changed)."""

    code: int = 0
    body: Row = field(default_factory=dict)
    effects: list[tuple[str, str, bool]] = field(default_factory=list)
    #: What `get file` took from the endpoint.
    content: bytes | None = None


Command = Callable[[Endpoint, Any, Options], Result]


def process_list(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    del argument
    prefix = "process_" if options.process_fields == "prefixed" else ""
    rows = []
    for one in endpoint.processes:
        row = {"pid": one.pid, "path": one.path.lower() if endpoint.folds_case else one.path, "username": "NT AUTHORITY\\SYSTEM"}
        row |= {"create_time": _start(one.started, options), ("cmdline" if prefix else "command_line"): one.command_line}
        rows.append({prefix + name: value for name, value in row.items()} | {"parent_pid": 1, "sid": "S-1-5-18"})
    return Result(body={"processes": rows or [{f"{prefix}pid": 4, f"{prefix}path": "SYSTEM", "parent_pid": 0}]})


def _start(text: str, options: Options) -> int | str:
    at = datetime.fromisoformat(text).timestamp()
    styles: dict[str, int | str] = {
        "seconds": int(at),
        "milliseconds": int(at * 1000),
        "filetime": int((at + _FILETIME_EPOCH) * 10**7),
        "iso": text,
    }
    return styles[options.process_time]


def kill(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    del options
    is_gone = endpoint.kill(int(argument))
    return Result(0 if is_gone else BAD_PARAMETER, effects=[("kill_process", str(argument), is_gone)])


def get_file(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    del options
    found = endpoint.file(str(argument))
    if found and found.locked:
        return Result(SHARING)
    return Result(content=endpoint.content(found)) if found else Result(NOT_FOUND)


def delete_file(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    path = str(argument)
    found = endpoint.file(path)
    runs = any(endpoint.same(one.path, path) for one in endpoint.processes)
    is_locked = endpoint.is_locked(path) or (options.running_files_are_locked and runs and endpoint.platform == "Windows")
    if found is None or is_locked:
        return Result(SHARING if found else NOT_FOUND, effects=[("delete_file", path, False)])
    endpoint.files.remove(found)
    return Result(effects=[("delete_file", path, True)])


def directory_list(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    """The path must end with a separator; what lies deeper shows as a folder."""
    del options
    folder = str(argument)
    if not folder.endswith(("\\", "/")):
        return Result(NOT_FOUND)
    separator, names = folder[-1], {}
    for one in endpoint.files_under(folder):
        name, _, deeper = one.path[len(folder) :].partition(separator)
        names[name] = {"filename": name, "attributes": ["DIRECTORY" if deeper else "ARCHIVE"], "size": 0 if deeper else one.size}
    if not names:
        return Result(NO_PATH)
    dots = [{"filename": name, "attributes": ["DIRECTORY"], "size": 0} for name in (".", "..")]
    return Result(body={"files": [*dots, *names.values()]})


def enum_key(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    del options
    key = endpoint.registry_key(str(argument))
    below = _sub_keys(endpoint, str(argument))
    if key is None and not below:
        return Result(NOT_FOUND)
    values = endpoint.registry.get(key or "", {})
    return Result(body={"sub_keys": below, "values": [_value_row(name, data) for name, data in values.items()]})


def _sub_keys(endpoint: Endpoint, key: str) -> list[str]:
    stem = long_hive(key).casefold().rstrip("\\") + "\\"
    deeper = [long_hive(one)[len(stem) :] for one in endpoint.registry if long_hive(one).casefold().startswith(stem)]
    return sorted({one.partition("\\")[0] for one in deeper})


def _value_row(name: str, data: str) -> Row:
    return {"value_name": name, "value_type": "pbREG_SZ", "value_data": data}


def query_value(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    del options
    key, _, name = str(argument).rpartition("\\")
    found = endpoint.registry_value(key, name)
    return Result(body={"value": _value_row(found[1], endpoint.registry[found[0]][found[1]])}) if found else Result(NOT_FOUND)


def delete_key(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    """Fails where there are subkeys."""
    del options
    path = str(argument)
    key = endpoint.registry_key(path)
    below = _sub_keys(endpoint, path)
    if key is None or below:
        return Result(DENIED if below else NOT_FOUND, effects=[("delete_registry_key", path, False)])
    del endpoint.registry[key]
    return Result(effects=[("delete_registry_key", path, True)])


def delete_value(endpoint: Endpoint, argument: Any, options: Options) -> Result:
    del options
    key, _, name = str(argument).rpartition("\\")
    is_gone = endpoint.unregister(key, name)
    return Result(0 if is_gone else NOT_FOUND, effects=[("delete_registry_key", str(argument), is_gone)])


#: name -> (argument, permission, what it does). The names and arguments are v6's.
COMMANDS: dict[str, tuple[str, str, Command]] = {
    "process list": ("", "org.liveresponse.process:READ", process_list),
    "kill": ("pid", "org.liveresponse.process:DELETE", kill),
    "get file": ("path", "org.liveresponse.file:READ", get_file),
    "delete file": ("path", "org.liveresponse.file:DELETE", delete_file),
    "directory list": ("path", "org.liveresponse.file:READ", directory_list),
    "reg enum key": ("path", "org.liveresponse.registry:READ", enum_key),
    "reg query value": ("path", "org.liveresponse.registry:READ", query_value),
    "reg delete key": ("path", "org.liveresponse.registry:DELETE", delete_key),
    "reg delete value": ("path", "org.liveresponse.registry:DELETE", delete_value),
}


def supported(endpoint: Endpoint) -> list[str]:
    """There is no registry but on Windows."""
    return [name for name in COMMANDS if endpoint.platform == "Windows" or not name.startswith("reg ")]
