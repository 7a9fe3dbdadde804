"""What was planned while the EDR did not answer, at every EDR: judged by what it shows when it does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.indicators import IOC
from ar_workers.domain.policies import Policy
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.builders import capabilities
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import FIRST
from tests.fakes import some_services

from .building import published, states

ON_ENDPOINT = {"kill_process": "process", "quarantine_file": "file", "delete_registry_key": "registry"}


def planned_blindly(rig, *verbs, **policy):
    """What becomes of a threat on the first endpoint, of which the event tells the id alone, with these indicators of it."""
    rules = Policy(customer="acme", remediate_groups={rig.vendor: frozenset({"Remediate"})}, **policy)
    services = some_services(policy=rules, edrs={("acme", rig.vendor): rig.adapter}, capabilities=capabilities())
    agent = rig.agent_id(FIRST)
    iocs = tuple(
        IOC(indicator=getattr(rig.action(verb), ON_ENDPOINT[verb]), confirmed_malicious=True, safe_to_act=True, agent_id=agent)
        for verb in verbs
    )
    untold = rig.endpoint().model_copy(update={"os": OS.UNKNOWN, "groups": None, "hostname": agent})
    services.unanswered["acme", rig.vendor] = float("inf")
    ingest(services.ledger, services.doorbell, [published(endpoints=(untold,), iocs=iocs)])
    for _ in range(40):
        services.doorbell.answer(services)
        services.clock.advance(timedelta(minutes=2))
        rig.simulation.clock.advance(120)
        sweep(services)
    return {verb: found for verb, found in states(services).items() if verb not in {"slack", "pagerduty"}}


@pytest.mark.parametrize("vendor", RIGS, ids=str)
def test_a_linux_is_never_acted_on(vendor):
    with RIGS[vendor](OS.LINUX) as rig:
        found = planned_blindly(rig, "kill_process")
        assert found["isolate"] == (State.SKIPPED, "linux is not supported: never acted on by automation")
        assert found["kill_process"][0] in {State.SKIPPED, State.FAILED}
        assert rig.written() == []


@pytest.mark.parametrize("vendor", RIGS, ids=str)
def test_an_endpoint_that_is_protected_by_its_name_is_held(vendor):
    with RIGS[vendor]() as rig:
        found = planned_blindly(rig, protected_endpoints=frozenset({FIRST}))
        assert found == {"isolate": (State.HELD, f"protected endpoint (name {FIRST}): a TRE decides")}
        assert rig.written() == []


def test_what_is_done_only_on_windows_is_done_and_the_way_back_is_kept_where_there_is_one():
    with RIGS[Vendor.DEFENDER]() as rig:
        found = planned_blindly(rig, "quarantine_file", "delete_registry_key")
        assert {verb: state for verb, (state, _) in found.items()} == dict.fromkeys(
            ["isolate", "quarantine_file", "delete_registry_key"], State.DONE
        )


def test_what_the_system_of_the_endpoint_does_not_allow_is_skipped_and_says_so():
    with RIGS[Vendor.DEFENDER](OS.MACOS) as rig:
        assert planned_blindly(rig, "delete_registry_key")["delete_registry_key"] == (
            State.SKIPPED,
            "unsupported: defender cannot delete registry key on macos",
        )
