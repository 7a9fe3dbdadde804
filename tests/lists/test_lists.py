"""Lists are read where MISP has them, packed, renewed whole or not at all, and what is broken stands for nothing."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from ar_workers import lists
from ar_workers.cli import arctl
from ar_workers.domain.errors import ARError
from ar_workers.domain.wellknown import rule_of_known
from ar_workers.lists import NAME, Shelf, shipped
from ar_workers.lists.catalogue import CATALOGUE, Reach
from ar_workers.lists.packed import BadLists, read_packed
from tests.builders import a_domain_ban, a_policy
from tests.cli.test_commands import run

SHIPPED = [name for name, each in CATALOGUE.items() if each.is_shipped]
HASH = "ab" * 32


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def misp(folder, *, names=SHIPPED, **changed):
    for name in names:
        is_hashes = CATALOGUE[name].reach is Reach.HASHES
        document = {
            "name": f"The {name}",
            "type": "string",
            "version": 7,
            "list": [HASH, "3::"] if is_hashes else ["new.example", ".wide.example", "odd"],
        }
        place = folder / "lists" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "list.json").write_text(changed.get(name.replace("-", "_")) or json.dumps(document))
    return folder


def refused(*words):
    """What `main` tells in one line."""
    result = CliRunner().invoke(arctl, words)
    assert isinstance(result.exception, ARError), result.output
    return str(result.exception)


def held(shelf, domain):
    return rule_of_known(a_domain_ban(domain), a_policy(), [], shelf).reason


def zipped(folder):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in folder.rglob("*.json"):
            archive.write(path, f"misp-warninglists-main/{path.relative_to(folder)}")
    return content.getvalue()


def test_what_is_shipped_is_all_that_the_catalogue_says():
    assert [each.name for each in shipped().index.lists] == SHIPPED
    assert all(each.entries for each in shipped().index.lists)


def test_workers_take_new_lists_without_a_restart(home, tmp_path):
    shelf = Shelf(home / NAME, look_lives=0)
    assert held(shelf, "new.example") == ""
    run("lists", "update", str(misp(tmp_path / "misp")))
    assert "new.example is on 'The " in held(shelf, "new.example")
    assert "a.wide.example is below wide.example on 'The " in held(shelf, "a.wide.example")
    assert held(shelf, "a.new.example") == ""
    assert (home / NAME).stat().st_mode & 0o777 == 0o600
    (home / NAME).unlink()
    assert held(shelf, "new.example") == ""


def test_the_long_lists_are_taken_where_they_are_and_must_then_stay(home, tmp_path):
    run("lists", "update", str(misp(tmp_path / "long", names=CATALOGUE)))
    assert "nioc-filehash" in run("lists", "show")
    assert "lacks nioc-filehash, windows-binary-hashes" in refused("lists", "update", str(misp(tmp_path / "short")))


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", '{"name": "x", "version": 1, "list": [1]}', '{"name": "x", "version": 1, "list": ["no name"]}']
)
def test_one_list_that_cannot_be_read_changes_nothing(home, tmp_path, broken):
    run("lists", "update", str(misp(tmp_path / "good")))
    before = (home / NAME).read_bytes()
    said = refused("lists", "update", str(misp(tmp_path / "bad", google=broken or "?")))
    assert "google" in said
    assert "nothing was changed" in said
    assert (home / NAME).read_bytes() == before
    assert [each.name for each in home.iterdir()] == [NAME]


def test_a_folder_without_lists_is_told_so(home, tmp_path):
    assert "name a folder or ZIP" in refused("lists", "update", str(tmp_path))
    assert "cannot be read" in refused("lists", "update", str(tmp_path / "none"))
    assert not (home / NAME).exists()


def test_a_broken_file_is_told_and_the_shipped_lists_count(home, caplog):
    home.mkdir()
    (home / NAME).write_bytes(zipped(home) + b"torn")
    assert "microsoft.com is on" in held(Shelf(home / NAME), "microsoft.com")
    assert "the lists of this version count" in caplog.text
    assert "holds no lists" in refused("lists", "show")


@pytest.mark.parametrize("cut", range(0, 600_000, 60_000))
def test_a_torn_file_is_none(tmp_path, cut):
    run_at = tmp_path / NAME
    whole = Path(lists.__file__).with_name(NAME).read_bytes()
    run_at.write_bytes(whole[:cut])
    with pytest.raises(BadLists):
        read_packed(run_at)


@pytest.fixture
def served(tmp_path):
    content = zipped(misp(tmp_path / "misp"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/lists.zip" else 302)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_address_that_is_named_is_read_and_not_left(home, served):
    assert "The google: version 7, 2 entries" in run("lists", "update", f"{served}/lists.zip")
    assert "answers 302" in refused("lists", "update", f"{served}/elsewhere")
    assert "only https" in refused("lists", "update", "http://lists.example/lists.zip")
    assert served in run("lists", "show")


def test_the_operators_file_is_looked_at_once_in_a_while(home, tmp_path):
    shelf = Shelf(home / NAME, look_lives=3600)
    assert held(shelf, "new.example") == ""
    run("lists", "update", str(misp(tmp_path / "misp")))
    assert held(shelf, "new.example") == ""
