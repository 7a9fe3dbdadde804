"""Fill .venv with what a lock names, and arctl itself: `python3 .ci/install.py requirements-run.lock`.

By uv, in a tenth of pip's time, and by pip where uv cannot. Needs nothing but Python with its `venv`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import uv_like_pip

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"
OUR_PIP = (sys.executable, "-m", "pip")
PIP = ("install", "--quiet", "--disable-pip-version-check", "--no-deps")
ITSELF = ("--no-build-isolation", "--editable", ".")


def succeeds(*command: object, **options: object) -> bool:
    """Whether it ended well. What it says is shown only then, or by whoever comes after."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False, stderr=subprocess.DEVNULL, **options).returncode == 0


def make_environment() -> None:
    """Without a pip of its own where ours can fill it: making one takes longer than all the rest."""
    if not PYTHON.exists():
        bare = ["--without-pip"] if succeeds(*OUR_PIP, "--python", sys.executable, "--version", stdout=subprocess.DEVNULL) else []
        subprocess.run([sys.executable, "-m", "venv", *bare, PYTHON.parents[1]], check=True)


def pip(*arguments: str) -> list[str]:
    """Pip on the environment, from inside or outside."""
    is_inside = succeeds(PYTHON, "-m", "pip", "--version", stdout=subprocess.DEVNULL)
    return [str(PYTHON), "-m", "pip", *arguments] if is_inside else [*OUR_PIP, "--python", str(PYTHON), *arguments]


def by_uv(lock: str) -> bool:
    """Whether uv is there or could be had, and did it."""
    if not uv_like_pip.UV.exists() and not succeeds(*pip(*PIP, "--require-hashes", "--only-binary", ":all:", "-r", "requirements-uv.lock")):
        return False
    told = uv_like_pip.environment()
    uv = (uv_like_pip.UV, "pip")
    filled = succeeds(*uv, "sync", "--quiet", "--python", PYTHON, "--require-hashes", lock, env=told)
    return filled and succeeds(*uv, "install", "--quiet", "--python", PYTHON, "--no-deps", *ITSELF, env=told)


def main(lock: str) -> None:
    print(f"installing {lock} into .venv ...", flush=True)
    make_environment()
    if not by_uv(lock):
        print("uv could not, pip does it (a minute on a cold cache) ...", flush=True)
        subprocess.run(pip(*PIP, "--require-hashes", "-r", lock), cwd=ROOT, check=True)
        subprocess.run(pip(*PIP, *ITSELF), cwd=ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
