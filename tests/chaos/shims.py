"""The two small C libraries that stand between a process and its kernel; where there is no compiler there is no shim."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def built(name: str, folder: Path) -> Path:
    """`NAME.c` as a library to preload. Raises CalledProcessError with what the compiler said."""
    library = folder / f"{name}.so"
    command = [compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(Path(__file__).with_name(f"{name}.c")), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


class SkewedClock:
    """The wall clock of the processes that get `environment`."""

    def __init__(self, folder: Path, name: str, seconds: float) -> None:
        self._file = folder / f"skew-{name}"
        self.jump(seconds)
        self.environment = {"LD_PRELOAD": str(built("skew", folder)), "CHAOS_SKEW": str(self._file)}

    def jump(self, seconds: float) -> None:
        """From now on it is so far off."""
        if not self._file.exists():
            self._file.write_bytes(bytes(8))
        with self._file.open("r+b") as file:
            file.write(struct.pack("<q", int(seconds * 1e9)))
