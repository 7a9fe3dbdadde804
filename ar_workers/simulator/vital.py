"""Whom a responder's scripts never kill: the twins that imitate such scripts judge as these do."""

from __future__ import annotations

import re

#: Copies of what the responder's scripts hold, which a test compares.
VITAL_PROCESSES = frozenset([
    "system", "registry", "smss.exe", "csrss.exe", "wininit.exe", "winlogon.exe", "services.exe", "lsass.exe", "lsaiso.exe",
    "svchost.exe", "msmpeng.exe",
    "csfalconservice.exe", "csfalconcontainer.exe", "sentinelagent.exe", "repmgr.exe", "cb.exe", "cyserver.exe", "mssense.exe",
    "launchd", "kernel_task", "windowserver", "loginwindow", "systemd", "init", "sshd", "falcond",
])  # fmt: skip
DISGUISE = (
    r"^[a-z]:\\(?!(?:windows|program files(?: \(x86\))?|programdata\\microsoft\\windows defender[^\\]*)\\)"
    r"(?:[^\\/:~]*[^\\/:~. ]\\)*[^\\/:~]+$"
)


def vital(image: str) -> str:
    """The name of the vital process that an image is, or an empty text."""
    name = re.split(r"[\\/]", image)[-1].lower()
    return name if name in VITAL_PROCESSES and not re.match(DISGUISE, image, re.IGNORECASE) else ""
