"""What the commands of the sensor's shell print and do; a failure is text in stderr, never an HTTP status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..endpoints import VOLUMES, Endpoint
from ..languages import Says
from .options import Options

#: What every Windows has, whatever else is told of its registry.
WINDOWS_ITSELF = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"

Effects = list[tuple[str, str, bool]]


@dataclass
class Result:
    """What a command printed, and which effects it had: (verb, target, changed)."""

    stdout: str = ""
    stderr: str = ""
    effects: Effects | None = None


def ps(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    """A table. The order of its columns is not documented, hence the switch."""
    del words
    pid_first = options.ps_columns == "pid_first"
    header = ("PID", "Name", "Start time", "Path") if pid_first else ("Name", "PID", "Start time", "Path")
    lines = ["  ".join(header)]
    for one in endpoint.processes:
        head = (str(one.pid), one.name) if pid_first else (one.name, str(one.pid))
        lines.append("  ".join((*head, one.started, one.path)))
    return Result(stdout="\n".join(lines) + "\n")


def filehash(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    del options
    found = endpoint.file(_argument(words))
    if found is None:
        return Result(stderr=Says.NO_FILE.to(endpoint.language, _argument(words)))
    if found.locked:
        return Result(stderr=Says.IN_USE.to(endpoint.language, found.path))
    return Result(stdout=f"SHA256: {found.sha256}\nMD5: {found.md5}\nPath: {found.path}\n")


def ls(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    del options
    path = _argument(words).removesuffix("\\.")
    found = [one for one in (endpoint.file(path),) if one] or endpoint.files_under(path)
    is_drive = path.endswith(":") or path == "/"
    if not found and not is_drive:
        return Result(stderr=Says.NO_PATH.to(endpoint.language, path))
    return Result(stdout="".join(f"{one.size}  {one.path}\n" for one in found))


def reg(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    """`reg query KEY [VALUE]`."""
    del options
    if len(words) < 2:
        return Result(stderr="reg: query KEY [VALUE]")
    wanted = words[2] if len(words) > 2 else None
    if endpoint.registry_key(words[1]) is None and endpoint.same(words[1], WINDOWS_ITSELF):
        endpoint = replace(endpoint, registry={WINDOWS_ITSELF: {"SystemRoot": "C:\\Windows"}})
    key = endpoint.registry_key(words[1])
    if key is None or (wanted is not None and endpoint.registry_value(key, wanted) is None):
        return Result(stderr=Says.NO_KEY.to(endpoint.language))
    shown = {name: text for name, text in endpoint.registry[key].items() if wanted is None or name.casefold() == wanted.casefold()}
    return Result(stdout=key + "\n" + "".join(f"    {name}    REG_SZ    {text}\n" for name, text in shown.items()))


def mount(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    """The drives. Whether their devices are shown is not documented, hence the switch."""
    del words
    shown = options.mount_shows == "devices"
    rows = [f"{at}\\  {device if shown else 'Local Disk'}  NTFS" for device, at in endpoint.facts.get("volumes", VOLUMES).items()]
    return Result(stdout="\n".join(["Name  Device  File system", *rows]) + "\n")


def pwd(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    del words, options
    return Result(stdout="C:\\\n" if endpoint.platform == "Windows" else "/\n")


def kill(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    """The text for a missing process is the vendor's own, from a recorded answer."""
    del options
    text = _argument(words)
    is_gone = text.isdecimal() and endpoint.kill(int(text))
    said = "" if is_gone else Says.NO_PROCESS.to(endpoint.language, text)
    return Result(stderr=said, effects=[("kill_process", text, is_gone)])


def rm(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    del options
    path = _argument([word for word in words if word != "--force"])
    is_gone = endpoint.delete(path)
    said = Says.IN_USE if endpoint.is_locked(path) else Says.NO_FILE
    return Result(stderr="" if is_gone else said.to(endpoint.language, path), effects=[("delete_file", path, is_gone)])


def reg_delete(endpoint: Endpoint, words: list[str], options: Options) -> Result:
    """`reg delete KEY [VALUE]`."""
    del options
    if len(words) < 2:
        return Result(stderr="reg: delete KEY [VALUE]")
    is_gone = endpoint.unregister(*words[1:3])
    return Result(
        stderr="" if is_gone else Says.NO_KEY.to(endpoint.language), effects=[("delete_registry_key", "|".join(words[1:3]), is_gone)]
    )


def _argument(words: list[str]) -> str:
    return words[0] if words else ""


Command = Callable[[Endpoint, list[str], Options], Result]

READING: dict[str, Command] = {"ps": ps, "filehash": filehash, "ls": ls, "reg query": reg, "pwd": pwd, "mount": mount}
ACTING: dict[str, Command] = {"kill": kill, "rm": rm, "reg delete": reg_delete}


def command_for(endpoint: Endpoint, words: list[str], *, acting: bool) -> Command | None:
    """The command that the words begin with, if this route and this platform have it.

    An active responder may read as well; there is no registry but on Windows.
    """
    name = " ".join(words[:2]) if words[:1] == ["reg"] else words[0]
    if words[:1] == ["reg"] and endpoint.platform != "Windows":
        return None
    return READING.get(name) or (ACTING.get(name) if acting else None)
