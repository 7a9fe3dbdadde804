"""The wheel is whole: built, installed outside the checkout, and run in a folder that somebody has laid traps into."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.test_demo import ROOT, environment, wait_until

pytestmark = pytest.mark.e2e

#: What a build reads of a checkout.
SOURCES = ("ar_workers", "celeryconfig.py", "examples", "pyproject.toml", "README.md", "LICENSE")
ARCTL = "#!{python}\nimport sys\nfrom ar_workers.cli import main\nsys.exit(main())\n"
#: It would take Celery away from our broker, if anything read it.
TRAP = "import pathlib\npathlib.Path(__file__).with_name('sprung').touch()\nraise SystemExit('a stranger was imported')\n"


class Installed(NamedTuple):
    """Where the wheel was installed, and a folder to stand in."""

    arctl: Path
    python: Path
    package: Path


def built(root, target, *, umask=0o022, **more):
    """The wheel of a checkout, as `make wheel` builds it."""
    script = [sys.executable, root / ".ci" / "wheel.py", target]
    subprocess.run(script, cwd=target.parent, umask=umask, env=os.environ | more, check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


def copied(target, *, umask, when):
    """A checkout elsewhere, of another person at another time, with what an earlier build has left."""
    for name in (".ci", *SOURCES):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
            os.utime(path, (when, when))
    left = target / "build" / "lib" / "ar_workers" / "left.py"
    left.parent.mkdir(parents=True)
    left.touch()
    return target


def test_it_is_built_to_the_same_bytes_whoever_builds_it_wherever_and_whenever(wheel, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for name, umask, when, zone in (("one", 0o077, 1_000_000_000, "Asia/Tokyo"), ("elsewhere/two", 0o002, 2_000_000_000, "UTC")):
        again = built(copied(tmp_path / name, umask=umask, when=when), tmp_path / f"{name}-wheel", umask=umask, TZ=zone)
        assert again.name == wheel.name
        assert hashlib.sha256(again.read_bytes()).hexdigest() == hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """In an environment of its own. What it depends on comes from ours, ours itself does not: no .pth of it is read there."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    arctl, python = home / "bin" / "arctl", home / "bin" / "python"
    arctl.write_text(ARCTL.format(python=python))
    arctl.chmod(0o755)
    return Installed(arctl, python, packages / "ar_workers")


@pytest.fixture
def folder(tmp_path):
    """An empty folder to stand in, with a trap."""
    for name in ("celeryconfig.py", "flowerconfig.py"):
        (tmp_path / name).write_text(TRAP)
    yield tmp_path
    assert not (tmp_path / "sprung").exists()


def run(installed, folder, *words, status=0):
    result = subprocess.run(
        [installed.arctl, *words], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=170, check=False
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def files(folder):
    for root, names, found in os.walk(folder, followlinks=True):
        names[:] = [name for name in names if name != "__pycache__"]
        yield from (str(Path(root, name).relative_to(folder)) for name in found)


def test_all_that_is_in_the_package_is_in_the_wheel_and_nothing_beside_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    metadata = next(name.partition("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
    assert {name.partition("/")[0] for name in names} == {"ar_workers", metadata}
    assert {name.removeprefix("ar_workers/") for name in names if name.startswith("ar_workers/")} == set(files(ROOT / "ar_workers"))
    assert {"ar_workers/py.typed", "ar_workers/examples/customers/acme.toml"} <= set(names)


def test_the_wheel_names_arctl(wheel):
    archive = zipfile.ZipFile(wheel)
    (entries,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "arctl = ar_workers.cli:main" in entries


def test_it_is_the_wheel_that_runs(installed, folder):
    shown = subprocess.run(
        [installed.python, "-c", "import ar_workers; print(ar_workers.__file__)"],
        cwd=folder, env=environment(folder), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert Path(shown.strip()).parent == installed.package


def test_its_commands_run(installed, folder):
    assert "threats" in run(installed, folder, "--help")
    assert any(each["edr"] == "crowdstrike" for each in json.loads(run(installed, folder, "capabilities", "--json")))


def test_docs_says_that_it_belongs_into_a_checkout(installed, folder):
    said = run(installed, folder, "docs", status=1)
    assert "run this in a checkout" in said
    assert len(said.splitlines()) == 1


def test_its_demo_runs(installed, folder):
    assert "every outcome is the expected one" in run(installed, folder, "demo")


def test_its_up_runs_until_ctrl_c(installed, folder):
    output = folder / "output.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [installed.arctl, "up"], cwd=folder, env=environment(folder), stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        wait_until(lambda: "running:" in output.read_text(), process=process)
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0, output.read_text()
    finally:
        process.kill()
        process.wait()
