"""A dry run at each vendor, over real HTTP: every verb that it can do is looked at, and nothing is written."""

from __future__ import annotations

import pytest

from ar_workers.domain.capabilities import Means
from ar_workers.domain.events import ReleaseRequested
from ar_workers.domain.indicators import Domain, File, FileHash, Process, RegistryKey
from ar_workers.domain.policies import Mode
from ar_workers.domain.states import State
from ar_workers.domain.verbs import UNDOES
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.builders import EVIL, NOON, a_policy, a_threat_published, an_ioc, hash_of, sha256
from tests.fakes import some_services

from .rigs import RIGS
from .rigs.base import FIRST


@pytest.fixture(params=sorted(RIGS))
def rig(request):
    with RIGS[request.param]() as found:
        yield found


def iocs(rig):
    here = {"agent_id": rig.agent_id(FIRST)}
    hashes = FileHash(sha256=sha256("evil"), sha1=hash_of("sha1", "evil"), md5=hash_of("md5", "evil"))
    return (
        an_ioc(hashes),
        an_ioc(Domain(domain="evil.example")),
        an_ioc(Process(pid=4711, image_path=EVIL, sha256=sha256(EVIL)), **here),
        an_ioc(File(path=EVIL, sha256=sha256(EVIL)), **here),
        an_ioc(RegistryKey(key=r"HKLM\Software\Evil"), **here),
    )


def played(rig, event, mode=Mode.DRY_RUN):
    """The rows of actions that the event came to, after workers and a sweep."""
    services = some_services(edr=rig.adapter, policy=a_policy(mode=mode, remediate_groups={rig.vendor: frozenset({rig.groups[0]})}))
    ingest(services.ledger, services.doorbell, [event])
    services.doorbell.answer(services)
    sweep(services)
    services.doorbell.answer(services)
    return [row for row in services.ledger.rows("acme", event.threat_id) if row.kind == "action"]


def a_threat_on(rig):
    return a_threat_published(endpoints=(rig.endpoint(),), iocs=iocs(rig))


def can(rig):
    return {cell.verb for cell in rig.adapter.capabilities() if cell.os == "windows" and cell.means is not Means.NONE} - set(UNDOES)


@pytest.mark.parametrize("is_by_mode", [True, False], ids=["by mode", "by event"])
def test_every_verb_is_looked_at_and_nothing_is_written(rig, is_by_mode):
    event = a_threat_on(rig)
    rows = played(rig, event) if is_by_mode else played(rig, event.to_be_rehearsed(), Mode.LIVE)
    assert rig.effects() == []
    assert rig.written() == []
    assert {row.verb for row in rows if row.would} == can(rig) - {_not_planned(rows)}
    assert {row.state for row in rows} == {State.SKIPPED}
    assert {row.is_dry for row in rows} == {True}
    assert all(row.reason.startswith("would ") for row in rows if row.would)


def _not_planned(rows):
    """A file is quarantined where that can be done, and else deleted."""
    return "delete_file" if any(row.verb == "quarantine_file" and row.would for row in rows) else ""


def test_the_same_in_earnest_writes(rig):
    played(rig, a_threat_on(rig), Mode.LIVE)
    assert len(rig.written()) >= len(can(rig) - {"delete_file", "quarantine_file"})


@pytest.mark.parametrize("is_by_mode", [True, False], ids=["by mode", "by event"])
def test_a_release_is_rehearsed_likewise(rig, is_by_mode):
    rig.change(status="contained")
    event = ReleaseRequested(id="r-1", customer="acme", occurred_at=NOON, endpoint=rig.endpoint(), requested_by="kim", reason="drill")
    rows = played(rig, event) if is_by_mode else played(rig, event.to_be_rehearsed(), Mode.LIVE)
    assert rig.effects() == []
    assert rig.written() == []
    assert [(row.reason, row.would) for row in rows] == [(f"would release {FIRST} (dry run)", True)]
