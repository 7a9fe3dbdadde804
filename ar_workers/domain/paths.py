"""Which file paths, processes and registry keys are never acted on: unsafe to quote, or vital to the system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .endpoints import OS

if TYPE_CHECKING:
    from .indicators import Process, RegistryKey

#: Characters that end, start, expand or redirect something in one of the vendors' shells.
_SHELL = re.compile(r"[\"'`$;&|<>^*?%!{}\[\]()~#=,\x00-\x1f\x7f]")
#: Parentheses and the like are common in real Windows paths (`Program Files (x86)`), and harmless inside quotes.
_QUOTABLE = re.compile(r"[()~,=#\[\]{}!^&]")
_WINDOWS = re.compile(r"^[A-Za-z]:\\(?:[^\\/:]+\\)*[^\\/:]+$")
_POSIX = re.compile(r"^/(?:[^/]+/)*[^/]+$")

_WINDOWS_VITAL = re.compile(
    r"^[a-z]:\\(?:windows\\(?:system32|syswow64|winsxs|boot)\\[^\\]+(?:\\.*)?|windows\\[^\\]+\.exe|boot(?:mgr|\\.*)|"
    r"program files\\(?:crowdstrike|windows defender|sentinelone|confer|carbonblack|palo alto networks)(?:\\.*)?)$"
)
_POSIX_VITAL = re.compile(
    r"^/(?:system|bin|sbin|usr/(?:bin|sbin|lib|libexec)|boot|dev|proc|sys|etc|"
    r"applications/falcon\.app|library/(?:cs|sentinel|extensions))(?:/.*)?$"
)
_VITAL_PROCESSES = frozenset(
    [
        "system",
        "registry",
        "smss.exe",
        "csrss.exe",
        "wininit.exe",
        "winlogon.exe",
        "services.exe",
        "lsass.exe",
        "lsaiso.exe",
        "svchost.exe",
        "msmpeng.exe",
        "csfalconservice.exe",
        "csfalconcontainer.exe",
        "sentinelagent.exe",
        "repmgr.exe",
        "cb.exe",
        "cyserver.exe",
        "mssense.exe",
        "launchd",
        "kernel_task",
        "windowserver",
        "loginwindow",
        "systemd",
        "init",
        "sshd",
        "falcond",
    ]
)
_VITAL_KEYS = re.compile(
    r"^(?:hklm\\(?:system|software|sam|security|hardware)|hklm\\(?:software\\(?:microsoft|classes|policies))"
    r"|hkcu\\(?:software|environment)|hkcu\\software\\(?:microsoft|classes)"
    r"|hklm\\software\\microsoft\\windows(?: nt)?(?:\\currentversion)?|hk(?:cu|u|lm)\\[^\\]+\\?"
    r"|hklm\\software\\microsoft\\windows\\currentversion\\run(?:once)?|hkcu\\software\\microsoft\\windows\\currentversion\\run(?:once)?"
    r"|hklm\\system\\(?:currentcontrolset|controlset\d+)(?:\\(?:control|enum|services))?"
    r"|hklm\\system\\(?:currentcontrolset|controlset\d+)\\services\\(?:csagent|windefend|wdfilter|sense|sentinel\w*|cbdefense|carbonblack\w*|cyserver)(?:\\.*)?)$"
)
#: The hive of one user by the security id, which is vital where HKCU is.
_OF_A_USER = re.compile(r"^hku\\[^\\]+\\(?=.)")


def path_problem(path: str, os: OS) -> str | None:
    """Why the file at `path` must not be touched on `os`, or None. An unknown OS is judged by the path's own form."""
    windows = os is OS.WINDOWS or (os is OS.UNKNOWN and not path.startswith("/"))
    shape = _WINDOWS if windows else _POSIX
    if path.startswith(("\\\\", "\\Device")) or not shape.match(path):
        return "not an absolute local path: a drive path such as C:\\dir\\file or /dir/file is needed"
    return _quoting_problem(path) or _traversal(path) or _vital_path(path, windows=windows)


def _traversal(path: str) -> str | None:
    return "path has a `..` or `.` part" if {"..", "."} & set(re.split(r"[\\/]", path)) else None


def _vital_path(path: str, *, windows: bool) -> str | None:
    vital = _WINDOWS_VITAL if windows else _POSIX_VITAL
    return "system or sensor file: never touched by automation" if vital.match(path.casefold()) else None


def registry_problem(registry: RegistryKey) -> str | None:
    """Why this key must not be deleted, or None. One value of a vital key may be."""
    problem = _quoting_problem(registry.key) or _quoting_problem(registry.value or "")
    if problem:
        return problem
    if registry.value is None and _VITAL_KEYS.match(_OF_A_USER.sub(r"hkcu\\", registry.key.casefold())):
        return "vital registry key: name one value or a key below it"
    return None


def hive_problem(registry: RegistryKey) -> str | None:
    """Why a shell that runs as SYSTEM must not take this key, or None: the HKCU that it sees is its own."""
    if registry.key.startswith("HKCU\\"):
        return "HKCU is the hive of whoever is signed in, and this shell runs as SYSTEM: name the key by HKU\\SID"
    return None


def process_problem(process: Process) -> str | None:
    """Why this process must not be killed, or None."""
    if process.pid <= 4:  # noqa: PLR2004 - 0 and 4 are the Windows kernel, 1 is init or launchd
        return "kernel or init process"
    image = (process.image_path or "").replace("\\", "/").rsplit("/", 1)[-1].casefold()
    if image in _VITAL_PROCESSES and not _is_masquerade(process):
        return f"vital process {image}: never killed by automation"
    if not (process.sha256 or process.started_at or process.image_path):
        return "pid alone: needs an image hash, image path or start time, because pids are reused"
    return None


def _is_masquerade(process: Process) -> bool:
    """A system process's name outside the system's folders is a disguise, as in Red Canary's own svchost.exe example."""
    path = (process.image_path or "").casefold()
    return bool(_WINDOWS.match(process.image_path or "")) and not path.startswith(("c:\\windows\\", "c:\\program files"))


def _quoting_problem(text: str) -> str | None:
    found = _SHELL.search(_QUOTABLE.sub("", text))
    return f"has a character that no remote shell takes safely: {found.group()!r}" if found else None
