"""Scripts that are run by somebody who may not look into a folder, read a file or delete it: root may do all of these."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

UNREADABLE, READABLE = 0o000, 0o444
#: Of a folder in which everybody may look, and nobody may delete.
LISTED = 0o555


def as_nobody(file, command, script, folder=0o000):
    """What `script` prints, which is read from the standard input, while the folder of `file` has the mode `folder`."""
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    file.parent.chmod(folder)
    try:
        with script.open() as text:
            return subprocess.run(command, stdin=text, capture_output=True, text=True, timeout=30, check=False, cwd="/", **user).stdout
    finally:
        file.parent.chmod(0o700)


@contextmanager
def a_file(mode):
    """One with the content `evil`, in a folder to which everybody finds the way, and which is to have the mode `LISTED`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "evil"
        path.write_text("evil")
        path.chmod(mode)
        yield path
