"""The door's own list: what is accepted stands there before the ledger has it, and what the ledger refused is known."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest

from ar_workers.audit.door import DoorBook, door_of
from ar_workers.bootstrap import ledger_at
from ar_workers.cli.ingest import accept_all
from ar_workers.domain.errors import LedgerUnavailable, RecordUnusable
from ar_workers.domain.events import WorkHindered
from ar_workers.domain.rows import Acceptance
from tests.builders import NOON
from tests.clocks import a_ledger
from tests.fakes import InlineDoorbell
from tests.keys import SEALS
from tests.ledger.building import an_event

LATER = 10.0**11


@pytest.fixture
def door(tmp_path):
    return DoorBook(tmp_path / "door")


def lines(door):
    return [json.loads(line) for path in sorted(door.folder.glob("*.ndjson")) for line in path.read_bytes().splitlines()]


def offered(door, before=LATER):
    return [each.id for each in door.unlooked(before)[0]]


def test_what_is_accepted_stands_there_with_the_hash_of_what_was_said(door):
    event = an_event()
    assert a_ledger(door=door).accept([event]) == [Acceptance.NEW]
    (line,) = lines(door)
    assert (line["id"], line["customer"], line["type"], line["checksum"]) == ("e1", "acme", "threat_published", event.checksum)
    assert line["sha256"] == hashlib.sha256(event.model_dump_json().encode()).hexdigest()


def test_the_list_is_its_owners_alone(door):
    a_ledger(door=door).accept([an_event()])
    assert {stat.S_IMODE(path.stat().st_mode) for path in door.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(door.folder.stat().st_mode) == 0o700


def test_where_it_cannot_be_written_nothing_is_accepted(tmp_path):
    (tmp_path / "door").write_text("in the way")
    ledger = a_ledger(door=DoorBook(tmp_path / "door"))
    with pytest.raises(RecordUnusable, match="AR_AUDIT"):
        ledger.accept([an_event()])
    assert ledger.threat("acme", "THREAT-1") is None
    (line,) = accept_all(ledger, InlineDoorbell(), [(1, an_event())])
    assert (line.status, "AR_AUDIT" in line.reason) == ("not accepted", True)


def test_what_the_service_says_of_itself_comes_through_no_door(door):
    event = WorkHindered(id=".x", customer="acme", occurred_at=NOON, threat_ref="service", what="x")
    a_ledger(door=door).accept([event])
    assert lines(door) == []


def test_what_the_ledger_refuses_is_not_looked_for(door):
    ledger = a_ledger(door=door)
    ledger.accept([an_event()])
    assert ledger.accept([an_event(severity="low")]) == [Acceptance.CONFLICT]
    assert lines(door)[-1]["refused"] == "another content"
    assert offered(door) == []


def test_what_was_not_accepted_because_redis_was_away_is_not_looked_for(door):
    ledger = ledger_at("redis://127.0.0.1:1/0", patience=0, seals=SEALS, door=door)
    ledger._is_known = True
    ledger._room_seen = float("inf")
    with pytest.raises(LedgerUnavailable):
        ledger.accept([an_event()])
    assert [line.get("refused") for line in lines(door)] == [None, "the ledger was away"]
    assert offered(door) == []


def test_a_look_goes_on_where_the_last_one_ended_whatever_the_day(tmp_path):
    at = [1_795_000_000.0]
    door = DoorBook(tmp_path, now=lambda: at[0])
    ledger = a_ledger(door=door)
    ledger.accept([an_event("e1")])
    found, behind = door.unlooked(LATER)
    door.looked(behind)
    at[0] += 86_400
    ledger.accept([an_event("e2")])
    assert ([each.id for each in found], offered(door)) == (["e1"], ["e2"])
    assert offered(DoorBook(tmp_path)) == ["e2"]


def test_what_is_too_young_is_left_to_the_next_look(tmp_path):
    at = [1_795_000_000.0]
    door = DoorBook(tmp_path, now=lambda: at[0])
    ledger = a_ledger(door=door)
    ledger.accept([an_event("e1")])
    at[0] += 30
    ledger.accept([an_event("e2")])
    found, behind = door.unlooked(at[0])
    door.looked(behind)
    assert ([each.id for each in found], offered(door)) == (["e1"], ["e2"])


@pytest.mark.parametrize("spoiled", [b"hello\n", b'{"id": 1}\n', b"[]\n", b'{"at": "x", "id": "e"}\n', b"\xff\xfe\n"])
def test_a_spoiled_line_costs_only_itself(door, spoiled):
    ledger = a_ledger(door=door)
    ledger.accept([an_event("e1")])
    (path,) = door.folder.glob("*.ndjson")
    with path.open("ab") as file:
        file.write(spoiled)
    ledger.accept([an_event("e2")])
    assert offered(door) == ["e1", "e2"]


@pytest.mark.parametrize("spoiled", ["", "x", "{}", '["a", "b"]', "[1, 2]"])
def test_a_spoiled_mark_of_the_last_look_only_costs_another_one(door, spoiled):
    a_ledger(door=door).accept([an_event("e1")])
    (door.folder / "looked").write_text(spoiled)
    assert offered(door) == ["e1"]


def test_a_line_that_is_being_written_is_left_to_the_next_look(door):
    a_ledger(door=door).accept([an_event("e1")])
    (path,) = door.folder.glob("*.ndjson")
    with path.open("ab") as file:
        file.write(b'{"at": 1, "customer": "acme"')
    found, behind = door.unlooked(LATER)
    assert [each.id for each in found] == ["e1"]
    assert json.loads(behind)[1] < path.stat().st_size


@pytest.mark.parametrize(
    ("environ", "folder"), [({"AR_HOME": "/srv/ar"}, "/srv/ar/audit/door"), ({"AR_HOME": "/srv/ar", "AR_AUDIT": "/record"}, "/record/door")]
)
def test_the_list_is_where_the_environment_says(environ, folder):
    assert str(door_of(environ).folder) == folder
