"""Build the wheel, to the same bytes whenever and wherever: `.venv/bin/python .ci/wheel.py dist`.

The same sources and the same setuptools (the lock has it) make the same file: of the checkout's times, modes and leavings nothing gets in.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What a build reads of the checkout.
SOURCES = ("ar_workers", "celeryconfig.py", "examples", "pyproject.toml", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
#: 2020-02-02, as other builders say: ZIP knows no time before 1980, and a checkout need not know its last commit.
EPOCH = "1580601600"


def copied(target: Path) -> Path:
    """The sources, all with the same modes."""
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)
    for path in target.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def main(target: Path) -> None:
    """From a copy: a build leaves what it has made beside its sources, and takes up what an earlier one has left."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as sources, tempfile.TemporaryDirectory() as built:
        told = {"SOURCE_DATE_EPOCH": EPOCH, **os.environ}
        command = [sys.executable, "-W", "ignore", "-c", BUILD, built]
        subprocess.run(command, cwd=copied(Path(sources)), env=told, umask=0o022, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(built).glob("*.whl")
        print(f"{target / wheel.name}: sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
        shutil.copy(wheel, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
