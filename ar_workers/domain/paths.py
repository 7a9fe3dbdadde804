"""Which file paths, processes and registry keys are never acted on: unsafe to quote, or vital to the system."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from .endpoints import OS
from .volumes import ANY_DRIVE, is_bare, plain, split

if TYPE_CHECKING:
    from .indicators import Process, RegistryKey

#: Characters that end, start, expand or redirect something in one of the vendors' shells.
_SHELL = re.compile(r"[\"'`$;&|<>^*?%!{}\[\]()~#=,\x00-\x1f\x7f]")
#: Parentheses and the like are common in real Windows paths (`Program Files (x86)`), and harmless inside quotes.
_QUOTABLE = re.compile(r"[()~,=#\[\]{}!^&]")
_WINDOWS = re.compile(r"^[A-Za-z]:\\(?:[^\\/:]+\\)*[^\\/:]+$")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_POSIX = re.compile(r"^/(?:[^/]+/)*[^/]+$")
#: Windows has a short name like PROGRA~1 for every long one.
_SHORT_NAME = re.compile(r"(?=[^.]{1,8}(?:\.|$))[^.]*~\d+(?:\.[^.]{0,3})?$")

_WINDOWS_VITAL = re.compile(
    r"^[a-z?]:\\(?:windows\\(?:system32|syswow64|sysnative|winsxs|boot|carbonblack)\\[^\\]+(?:\\.*)?|windows\\[^\\]+\.exe|boot(?:mgr|\\.*)|"
    r"programdata\\(?:crowdstrike|sentinel|carbonblack|cyvera|microsoft\\windows defender[^\\]*)(?:\\.*)?|"
    r"program files(?: \(x86\))?\\(?:crowdstrike|windows defender[^\\]*|sentinelone|confer|carbonblack|palo alto networks)(?:\\.*)?)$"
)
_POSIX_VITAL = re.compile(
    r"^/(?:system|bin|sbin|usr/(?:bin|sbin|lib|libexec)|boot|dev|proc|sys|etc|"
    r"applications/falcon\.app|library/(?:cs|sentinel|extensions))(?:/.*)?$"
)
#: The scripts that run on endpoints hold copies of this list and of DISGUISE; a test compares them.
VITAL_PROCESSES = frozenset(
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
#: Where no system process's image is: a plain whole path outside the system's folders, with no part that Windows may read as another.
DISGUISE = (
    r"^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)"
    r"(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$"
)
_DISGUISE = re.compile(DISGUISE, re.IGNORECASE)

_VITAL_KEYS = re.compile(
    r"^(?:hk(?:cu|u|lm)\\[^\\]+"
    r"|hklm\\software\\(?:microsoft|classes|policies)|hkcu\\software\\(?:microsoft|policies)"
    r"|hklm\\software\\classes\\(?:clsid|interface|typelib|appid|protocols|directory|folder|drive|(?:exe|bat|cmd|com|lnk)file"
    r"|\.(?:exe|bat|cmd|com|lnk|dll))"
    r"|hk(?:lm|cu)\\software\\microsoft\\windows(?: nt)?(?:\\currentversion)?"
    r"|hkcu\\software\\microsoft\\windows\\currentversion\\(?:run(?:once)?|explorer|policies)"
    r"|hkcu\\software\\microsoft\\windows nt\\currentversion\\(?:winlogon|windows)"
    # What is right below these is Windows' own; what malware adds lies deeper.
    r"|hklm\\software\\microsoft\\windows(?: nt)?\\currentversion\\[^\\]+"
    r"|hklm\\system\\currentcontrolset(?:\\(?:control(?:\\[^\\]+)?|enum|services|hardware profiles(?:\\current(?:\\[^\\]+)?)?))?"
    r"|hklm\\system\\currentcontrolset\\services\\(?:csagent|windefend|wdfilter|sense|sentinel\w*|cbdefense|carbonblack\w*|cyserver)(?:\\.*)?)$"
)
#: A key that goes by several names, to the one that the lists use. Two users' keys count as one; HKCR shows machine's and user's.
_KEY_NAMES = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\\(?:wow6432node|wowaa32node)(?=\\|$)", ""),
        (r"^hku\\[^\\]+_classes(?=\\|$)", r"hkcu\\software\\classes"),
        (r"^hku\\[^\\]+(?=\\)", "hkcu"),
        (r"^hkcu\\software\\classes(?=\\|$)|^hkcr(?=\\)", r"hklm\\software\\classes"),
        (r"^hkcc(?=\\)", r"hklm\\system\\currentcontrolset\\hardware profiles\\current"),
        (r"^hklm\\system\\controlset\d+(?=\\|$)", r"hklm\\system\\currentcontrolset"),
    )
]


def file_parts(path: str) -> tuple[str, ...]:
    """The names of a path from its root on, in the one spelling in which two paths are compared."""
    text = unicodedata.normalize("NFC", plain(path)).casefold()
    found = split(text)
    if found:
        text = ANY_DRIVE + found.on_a_drive[2:]
    elif re.match(r"\\(?!\\)", text):
        text = ANY_DRIVE + text
    names = [name.rstrip(". ") or name for name in re.split(r"[\\/]+", text)]
    if not names[-1]:
        del names[-1]
    # macOS shows its data volume twice, and /etc, /tmp and /var are links.
    if names[:4] == ["", "system", "volumes", "data"]:
        del names[1:4]
    if names[:2] == ["", "private"]:
        del names[1]
    return tuple(names)


def key_parts(key: str) -> tuple[str, ...]:
    """The same of a registry key in its short form."""
    # PowerShell takes a slash in a key for a backslash.
    text = "\\".join(filter(None, re.split(r"[\\/]", key.casefold())))
    for pattern, name in _KEY_NAMES:
        text = pattern.sub(name, text)
    return tuple(text.split("\\"))


def image_name(image: str) -> str:
    """The name of a process's image, without its folder."""
    return (file_parts(image) or ("",))[-1]


def path_problem(path: str, os: OS) -> str | None:
    """Why the file at `path` must not be acted on by its path on `os`, or None. An unknown OS is judged by the path's own form.

    A path on a volume without a letter has none: whether the endpoint tells which drive that is, its adapter must see.
    """
    if is_bare(path):
        return "a bare name is no path: which file is meant cannot be told"
    found = split(path)
    shape = _WINDOWS if _is_windows(path, os) else _POSIX
    if not shape.match(found.on_a_drive if found else plain(path)):
        return "not an absolute local path: a drive path such as C:\\dir\\file or /dir/file is needed"
    return _quoting_problem(_below_its_volume(path)) or content_problem(path, os)


def is_whole(path: str, os: OS) -> bool:
    """Whether it leads from a drive, or from the root, to one file."""
    return bool((_WINDOWS if _is_windows(path, os) else _POSIX).match(path))


def content_problem(path: str, os: OS) -> str | None:
    """Why the file that is called so must not be touched even where its vendor finds it by its content, or None.

    What such a path is written with does not matter: no shell reads it.
    """
    if is_bare(path):
        return image_problem(path)
    path = plain(path)
    windows = _is_windows(path, os)
    return _traversal(path) or _vital_path(path, windows=windows) or (_alias(path) if windows else None)


def _is_windows(path: str, os: OS) -> bool:
    return os is OS.WINDOWS or (os is OS.UNKNOWN and not path.startswith("/"))


def _below_its_volume(path: str) -> str:
    found = split(path)
    return found.tail if found else plain(path)


def _traversal(path: str) -> str | None:
    return "path has a `..` or `.` part" if {"..", "."} & set(re.split(r"[\\/]", path)) else None


def _vital_path(path: str, *, windows: bool) -> str | None:
    vital, separator = (_WINDOWS_VITAL, "\\") if windows else (_POSIX_VITAL, "/")
    parts = file_parts(path)
    is_whole = not windows or _DRIVE.match(plain(path)) or split(path)
    # Of a share or of some other device it is not known where on a drive it begins.
    starts = [parts] if is_whole else [(ANY_DRIVE, *parts[first:]) for first in range(len(parts))]
    return "system or sensor file: never touched by automation" if any(vital.match(separator.join(each)) for each in starts) else None


def _alias(path: str) -> str | None:
    """What a name of Windows' own making hides can neither be judged nor compared."""
    for name in re.split(r"[\\/]", _below_its_volume(path)):
        if is_short_name(name):
            return f"{name!r} is a short (8.3) name: the long one is needed"
        if name.endswith((".", " ")):
            return f"{name!r} ends with a dot or a space, which Windows may drop"
    return None


def is_short_name(name: str) -> bool:
    """Whether it has the form of an 8.3 name, which stands for another."""
    return bool(_SHORT_NAME.match(name))


def registry_problem(registry: RegistryKey) -> str | None:
    """Why this key must not be deleted, or None. One value of a vital key may be."""
    problem = _quoting_problem(registry.key) or _quoting_problem(registry.value or "") or _traversal(registry.key)
    if problem:
        return problem
    if registry.value is None and _VITAL_KEYS.match("\\".join(key_parts(registry.key))):
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
    problem = image_problem(process.image_path or "")
    if problem:
        return problem
    if process.sha256 or process.started_at:
        return None
    if not process.image_path:
        return "pid alone: needs an image hash, image path or start time, because pids are reused"
    if is_bare(process.image_path):
        return "pid and a bare name, which is no path: needs an image hash, image path or start time, because pids are reused"
    return None


def image_problem(image: str) -> str | None:
    """Why no process of this image, a whole path or a bare name, must be killed, or None.

    A system process's name outside the system's folders is a disguise, as in Red Canary's own svchost.exe example.
    """
    name = image_name(image)
    vital = next((each for each in (name, f"{name}.exe") if each in VITAL_PROCESSES), None)
    found = split(image)
    return None if vital is None or _DISGUISE.match(found.on_a_drive if found else plain(image)) else vital_process(vital)


def vital_process(name: str) -> str:
    """What is said of a process that was seen to be vital, here or by a script on the endpoint."""
    return f"vital process {name}: never killed by automation"


def _quoting_problem(text: str) -> str | None:
    found = _SHELL.search(_QUOTABLE.sub("", text))
    return f"has a character that no remote shell takes safely: {found.group()!r}" if found else None
