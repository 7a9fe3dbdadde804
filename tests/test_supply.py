"""What is said of vulnerabilities, parts and files of what we depend on; and that a silence is never read as a no."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted([*ROOT.glob("requirements-*.lock"), ROOT / "bench" / "requirements.lock"])
CLEAN = {"name": "kombu", "version": "5.7.0", "vulns": []}
WORSE = {
    "name": "jinja2",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"], "aliases": [], "description": ""}],
}
#: Pip-audit's words for what its service does not have, with which it ends well.
SKIPPED = {"name": "kombu", "skip_reason": "Dependency not found on PyPI and could not be audited: kombu (5.7.0)"}
LOCK = "jinja2==2.0 \\\n    --hash=sha256:00\nkombu==5.7.0 ; sys_platform == 'win32' \\\n    --hash=sha256:11\nvalkey==6.2.0 ; sys_platform == 'never'"


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """They import each other from where they are."""
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    yield
    for name in ("audit", "locks", "sbom"):
        sys.modules.pop(name, None)


@pytest.fixture
def audited(tmp_path, capsys):
    """The status of an audit, and what it says, where the services answer so; one that is not named cannot be reached."""
    import audit

    lock = tmp_path / "requirements-x.lock"
    lock.write_text(LOCK)

    def by(**answers):
        for service, known in answers.items():
            (tmp_path / service).write_text(json.dumps({"dependencies": known, "fixes": []}))
        stand_in = tmp_path / "auditor.py"
        stand_in.write_text(
            "import pathlib, sys\n"
            "service = sys.argv[sys.argv.index('--vulnerability-service') + 1]\n"
            "asked = pathlib.Path(sys.argv[sys.argv.index('-r') + 1]).read_text()\n"
            "pathlib.Path(__file__).with_name('asked-' + service).write_text(asked)\n"
            "print(pathlib.Path(__file__).with_name(service).read_text())\n"
        )
        return audit.main([lock], (sys.executable, str(stand_in))), capsys.readouterr().out

    return by


def test_an_audit_in_which_all_are_known_to_be_well_ends_with_0(audited):
    status, said = audited(pypi=[CLEAN, {**CLEAN, "name": "jinja2"}])
    assert (status, said) == (0, "requirements-x.lock: 2 packages, no known vulnerability\n")


def test_what_is_found_ends_it_with_1_also_where_another_could_not_be_asked_about(audited):
    status, said = audited(pypi=[WORSE, SKIPPED])
    assert status == 1
    assert "VULNERABLE: jinja2 2.0: PYSEC-2019-217, mended in 2.10.1" in said
    assert "NOT AUDITED" in said


@pytest.mark.parametrize(
    "answers",
    [{}, {"pypi": [SKIPPED, {**SKIPPED, "name": "jinja2"}]}, {"pypi": [CLEAN]}, {"pypi": []}],
    ids=["nobody answers", "the index has no such page", "one is left out", "an empty answer"],
)
def test_what_could_not_be_asked_is_never_taken_for_well(audited, answers):
    status, said = audited(**answers)
    assert status == 3
    assert "NOT AUDITED: neither pypi nor osv could be asked" in said
    assert "no known vulnerability" not in said


def test_the_next_service_is_asked_about_what_one_does_not_know(audited, tmp_path):
    status, _ = audited(pypi=[{**CLEAN, "name": "jinja2"}, SKIPPED], osv=[CLEAN])
    assert status == 0
    assert (tmp_path / "asked-osv").read_text() == "kombu==5.7.0\n"


def test_what_other_platforms_install_is_asked_about_and_what_none_installs_is_not(audited, tmp_path):
    audited(pypi=[CLEAN])
    assert (tmp_path / "asked-pypi").read_text() == "jinja2==2.0\nkombu==5.7.0\n"


def test_the_parts_are_told_without_what_repeats_the_lock_and_in_one_order():
    import sbom

    parts = [{"name": "kombu", "version": "5.7.0", "description": "requirements line 4: kombu==5.7.0 --hash=..."}]
    made = sbom.tidied(json.dumps({"specVersion": "1.6", "components": parts}))
    assert made == sbom.tidied(json.dumps({"components": parts, "specVersion": "1.6"}))
    assert json.loads(made)["components"] == [{"name": "kombu", "version": "5.7.0"}]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_line_of_every_lock_has_its_hashes(lock):
    from locks import pins

    assert [pin.name for pin in pins(lock.read_text()) if not pin.is_hashed] == []


def test_a_lock_with_a_line_that_is_no_pin_is_refused():
    from locks import pins

    with pytest.raises(ValueError, match="not a pin: git"):
        list(pins("kombu==5.7.0\ngit+https://code.example/x"))


#: Where one installs by a lock, and how often.
INSTALLS = {"Makefile": 1, "Dockerfile": 1, ".ci/install.py": 3}


def test_wherever_a_lock_is_installed_its_hashes_are_demanded():
    found = {name: (ROOT / name).read_text().count("--require-hashes") for name in INSTALLS}
    assert found == INSTALLS


def a_wheel(folder):
    """A package of one file, as a file of an index."""
    folder.mkdir()
    path = folder / "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy.py", "")
        archive.writestr("toy-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
        archive.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            "toy-1.dist-info/RECORD", "toy.py,,\ntoy-1.dist-info/METADATA,,\ntoy-1.dist-info/WHEEL,,\ntoy-1.dist-info/RECORD,,\n"
        )
    return path


@pytest.mark.parametrize("is_the_one", [True, False], ids=["the file that was locked", "another of its name"])
@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
def test_a_file_that_is_not_the_one_of_the_lock_is_not_installed_and_no_index_is_needed(tmp_path, has_uv, is_the_one):
    import hashlib

    wheel = a_wheel(tmp_path / "files")
    digest = hashlib.sha256(wheel.read_bytes() if is_the_one else b"").hexdigest()
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "requirements-x.lock").write_text(f"toy==1 \\\n    --hash=sha256:{digest}\n")
    (tmp_path / "requirements-uv.lock").write_text("uv==0 --hash=sha256:00\n")
    if has_uv:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
        (tmp_path / ".venv" / "bin" / "uv").symlink_to(ROOT / ".venv" / "bin" / "uv")
    told = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent),
        "UV_NO_CACHE": "1",
    }  # fmt: skip
    script = [sys._base_executable, ".ci/install.py", "requirements-x.lock"]
    ended = subprocess.run(script, cwd=tmp_path, env=told, capture_output=True, text=True, check=False)
    assert [path.name for path in tmp_path.glob(".venv/lib/*/site-packages/toy.py")] == ["toy.py"] * is_the_one, ended.stderr
    assert "DO NOT MATCH" in ended.stderr or is_the_one
