"""A vital process that an indicator confirms by pid and hash, at every EDR: skipped with the reason, and alive."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.indicators import IOC, Process
from ar_workers.domain.policies import Policy
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from ar_workers.simulator.endpoints import Process as PretendProcess
from ar_workers.simulator.endpoints import StoredFile
from tests.builders import capabilities, sha256
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import FIRST
from tests.fakes import some_services

from .building import published, states

LSASS = r"C:\Windows\System32\lsass.exe"


@pytest.mark.parametrize("vendor", RIGS, ids=str)
def test_a_vital_process_is_skipped_with_the_reason(vendor):
    with RIGS[vendor]() as rig:
        agent = rig.agent_id(FIRST)
        pretend = rig.simulation.world.endpoint(rig.tenant, agent)
        pretend.processes.append(PretendProcess(640, LSASS))
        pretend.files.append(StoredFile(LSASS))
        rules = Policy(customer="acme", remediate_groups={vendor: frozenset({"Remediate"})})
        services = some_services(policy=rules, edrs={("acme", vendor): rig.adapter}, capabilities=capabilities())
        process = Process(pid=640, sha256=sha256(LSASS))
        ioc = IOC(indicator=process, confirmed_malicious=True, safe_to_act=True, agent_id=agent)
        ingest(services.ledger, services.doorbell, [published(endpoints=(rig.endpoint(),), iocs=(ioc,))])
        for _ in range(10):
            services.doorbell.answer(services)
            services.clock.advance(timedelta(minutes=2))
            rig.simulation.clock.advance(120)
            sweep(services)
        assert states(services)["kill_process"] == (State.SKIPPED, "vital process lsass.exe: never killed by automation")
        assert pretend.process(640)
