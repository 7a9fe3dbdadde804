"""The script that runs on an endpoint, run on this one: real processes, real files, and a registry in a dict."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from ar_workers.edr.cortex_xdr.on_endpoint import _by_its_drive, act, look
from ar_workers.edr.cortex_xdr.scripts import encoded
from tests.builders import sha256


def told(entry, **order):
    return json.loads(entry(encoded(order)))["state"]


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def order_for(child, **changes):
    process = psutil.Process(child.pid)
    return {"verb": "kill_process", "pid": child.pid, "path": process.exe(), "started": process.create_time(), **changes}


def test_a_process_is_seen_killed_and_gone(child):
    order = order_for(child)
    assert (told(look, **order), child.poll()) == ("present", None)
    assert told(act, **order) == "done"
    assert told(look, **order) == "absent"


@pytest.mark.parametrize(
    "other", [{"path": "/bin/other"}, {"sha256": sha256("other")}, {"started": 1.0}, {"path": None, "started": None, "sha256": None}]
)
def test_a_process_that_is_not_confirmed_lives(child, other):
    assert told(act, **order_for(child, **other)) == "mismatch"
    assert child.poll() is None


def test_a_hash_confirms_a_process_whatever_its_start(child):
    image = psutil.Process(child.pid).exe()
    content = hashlib.sha256(Path(image).read_bytes()).hexdigest()
    assert told(look, **order_for(child, sha256=content, started=1.0)) == "present"


def test_a_vital_process_is_seen_and_lives(tmp_path):
    image = tmp_path / "sshd"
    shutil.copy(shutil.which("sleep"), image)
    with subprocess.Popen([image, "60"]) as child:
        order = order_for(child, path=None, started=None, sha256=hashlib.sha256(image.read_bytes()).hexdigest())
        seen, asked, alive = json.loads(look(encoded(order))), json.loads(act(encoded(order))), child.poll() is None
        child.kill()
    assert (seen["state"], seen["image"]) == ("present", str(image))
    assert (asked["state"], asked["why"], alive) == ("vital", "sshd", True)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "evil"
    path.write_text("evil")
    return path


def test_a_file_is_seen_deleted_and_gone(file):
    order = {"verb": "delete_file", "path": str(file), "sha256": sha256("evil")}
    assert (told(look, **order), file.exists()) == ("present", True)
    assert (told(act, **order), file.exists()) == ("done", False)
    assert (told(look, **order), told(act, **order)) == ("absent", "absent")


def test_a_file_of_another_content_stays(file):
    assert told(act, verb="delete_file", path=str(file), sha256=sha256("other")) == "mismatch"
    assert file.exists()


def test_neither_a_link_nor_a_folder_is_deleted(file, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(file)
    for path in (link, tmp_path):
        assert told(act, verb="delete_file", path=str(path), sha256=None) == "mismatch"
    assert link.is_symlink()
    assert file.exists()


def a_lock(monkeypatch, name):
    """On this system root may read and delete everything: the file refuses itself."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, name, refuse)


def test_a_file_that_cannot_be_read_is_neither_gone_nor_another(file, monkeypatch):
    for name in ("open", "lstat"):
        with monkeypatch.context() as patch:
            a_lock(patch, name)
            order = {"verb": "delete_file", "path": str(file), "sha256": sha256("evil")}
            assert (told(look, **order), told(act, **order)) == ("locked", "locked")
    assert file.exists()


def test_a_file_that_cannot_be_deleted_is_locked(file, monkeypatch):
    a_lock(monkeypatch, "unlink")
    assert told(act, verb="delete_file", path=str(file), sha256=sha256("evil")) == "locked"


def test_a_process_whose_image_cannot_be_read_is_not_another(child, monkeypatch):
    a_lock(monkeypatch, "open")
    assert told(look, **order_for(child, started=None, sha256=sha256("evil"))) == "locked"
    assert child.poll() is None


@pytest.mark.parametrize("request_text", ["", "!", encoded({"verb": "format_disk"}), encoded({"verb": "delete_file"}), encoded([])])
def test_what_is_no_order_fails(request_text):
    assert json.loads(act(request_text))["state"] == "failed"


class Registry:
    """As much of `winreg` as the script uses, over {path: {value: data}}; the hive is the first part of a path."""

    HKEY_LOCAL_MACHINE, HKEY_USERS, HKEY_CLASSES_ROOT, HKEY_CURRENT_CONFIG = "HKLM", "HKU", "HKCR", "HKCC"
    KEY_READ = KEY_SET_VALUE = KEY_WOW64_64KEY = 1

    def __init__(self, keys):
        self.keys = keys

    def _users(self):
        return sorted({path.split("\\")[1] for path in self.keys if path.startswith("HKU\\")})

    def QueryInfoKey(self, hive):
        return len(self._users()), 0, 0

    def EnumKey(self, hive, index):
        return self._users()[index]

    @contextmanager
    def OpenKey(self, hive, key, *_):
        if f"{hive}\\{key}" not in self.keys:
            raise FileNotFoundError(key)
        yield SimpleNamespace(values=self.keys[f"{hive}\\{key}"])

    def QueryValueEx(self, opened, name):
        if name not in opened.values:
            raise FileNotFoundError(name)

    def DeleteValue(self, opened, name):
        del opened.values[name]

    def DeleteKeyEx(self, hive, key, *_):
        if any(path.startswith(f"{hive}\\{key}\\") for path in self.keys):
            raise PermissionError(key)
        del self.keys[f"{hive}\\{key}"]


@pytest.fixture
def registry(monkeypatch):
    keys = {
        r"HKU\S-1-5-21-1\Software\Evil": {"a": "1", "b": "2"},
        r"HKU\S-1-5-21-2\Software": {},
        r"HKLM\Software\Evil": {},
        r"HKLM\Software\Evil\Below": {},
    }
    monkeypatch.setitem(sys.modules, "winreg", Registry(keys))
    return keys


def test_a_key_is_found_deleted_and_gone(registry):
    order = {"verb": "delete_registry_key", "key": r"HKU\S-1-5-21-1\Software\Evil", "value": None}
    assert [told(entry, **order) for entry in (look, act, look)] == ["present", "done", "absent"]
    assert r"HKU\S-1-5-21-1\Software\Evil" not in registry


def test_one_value_is_deleted_alone(registry):
    order = {"verb": "delete_registry_key", "key": r"HKU\S-1-5-21-1\Software\Evil", "value": "a"}
    assert [told(entry, **order) for entry in (look, act, look)] == ["present", "done", "absent"]
    assert registry[r"HKU\S-1-5-21-1\Software\Evil"] == {"b": "2"}


def test_a_key_with_keys_below_it_stays(registry):
    before = dict(registry)
    assert told(act, verb="delete_registry_key", key=r"HKLM\Software\Evil", value=None) == "failed"
    assert registry == before


@pytest.fixture
def windows(monkeypatch):
    """As much of `ctypes` and the environment as tells the script which drive a device is."""
    devices = {"D:": r"\Device\HarddiskVolume7"}

    def query(drive, target, _):
        target.value = devices.get(drive, "")
        return len(target.value)

    kernel = SimpleNamespace(QueryDosDeviceW=query)
    fake = SimpleNamespace(create_unicode_buffer=lambda _: SimpleNamespace(value=""), windll=SimpleNamespace(kernel32=kernel))
    monkeypatch.setitem(sys.modules, "ctypes", fake)
    monkeypatch.setenv("SYSTEMROOT", r"E:\WINNT")


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("path", "located"),
    [
        (r"\Device\HarddiskVolume7\Users\kim\evil.exe", r"D:\Users\kim\evil.exe"),
        (r"\device\HARDDISKVOLUME7\x", r"D:\x"),
        (r"\SystemRoot\Temp\evil.exe", r"E:\WINNT\Temp\evil.exe"),
        (r"\Device\HarddiskVolume70\evil.exe", r"\Device\HarddiskVolume70\evil.exe"),
        (r"C:\evil.exe", r"C:\evil.exe"),
        ("/tmp/evil", "/tmp/evil"),
    ],
)
def test_windows_itself_tells_which_drive_a_device_is(path, located):
    assert _by_its_drive(path) == located


@pytest.mark.usefixtures("windows")
def test_a_file_on_a_volume_that_nobody_knows_is_never_absent():
    assert told(act, verb="delete_file_on_volume", path=r"\Device\HarddiskVolume70\evil.exe", sha256=None) == "mismatch"


def test_a_hash_outweighs_a_name(child):
    content = hashlib.sha256(Path(psutil.Process(child.pid).exe()).read_bytes()).hexdigest()
    assert told(look, **order_for(child, path="/bin/other", sha256=content)) == "present"
