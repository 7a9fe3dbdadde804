"""A script that is run by somebody who may not look into a folder: root may look into all."""

from __future__ import annotations

import os
import subprocess


def as_nobody(file, command, script):
    """What `script` prints, which is read from the standard input, while nobody but root can look into the folder of `file`."""
    folder = file.parent
    folder.chmod(0o000)
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        with script.open() as text:
            return subprocess.run(command, stdin=text, capture_output=True, text=True, timeout=30, check=False, cwd="/", **user).stdout
    finally:
        folder.chmod(0o700)
