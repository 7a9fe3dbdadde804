"""The wheel is whole: built, installed outside the checkout, and run in a folder that somebody has laid traps into."""

from __future__ import annotations

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

#: What a build reads of the checkout.
SOURCES = ("ar_workers", "celeryconfig.py", "examples", "pyproject.toml", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
ARCTL = "#!{python}\nimport sys\nfrom ar_workers.cli import main\nsys.exit(main())\n"
#: It would take Celery away from our broker, if anything read it.
TRAP = "import pathlib\npathlib.Path(__file__).with_name('sprung').touch()\nraise SystemExit('a stranger was imported')\n"


class Installed(NamedTuple):
    """Where the wheel was installed, and a folder to stand in."""

    arctl: Path
    python: Path
    package: Path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: a build leaves what it has made beside its sources, and takes up what an earlier one has left."""
    copy, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    subprocess.run([sys.executable, "-W", "ignore", "-c", BUILD, str(out)], cwd=copy, check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


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
