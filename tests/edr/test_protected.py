"""What protects an endpoint is read from its EDR now: its tags, and what it is for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.endpoints import Role
from ar_workers.domain.policies import Policy
from ar_workers.domain.protected import TELLS_DOMAIN_CONTROLLERS, TELLS_TAGS
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from tests.builders import an_endpoint, capabilities
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import FIRST
from tests.fakes import some_services
from tests.pipeline.building import published, states

SERVER = {"product_type_desc": "Server", "os_version": "Windows Server 2022 x64"}


def become(rig, **now):
    pretend = rig.simulation.world.endpoint(rig.tenant, rig.agent_id(FIRST))
    for name, value in now.items():
        setattr(pretend, name, value)


def isolated(rig, vendor, **protected):
    """What becomes of an isolation that was planned by an event which tells neither tag nor role."""
    policy = Policy(customer="acme", remediate_groups={vendor: frozenset({"Remediate"})}, **protected)
    services = some_services(policy=policy, edrs={("acme", vendor): rig.adapter}, capabilities=capabilities())
    told = an_endpoint(edr=vendor, agent_id=rig.agent_id(FIRST), hostname="as-it-was-told")
    ingest(services.ledger, services.doorbell, [published(endpoints=(told,), iocs=())])
    services.doorbell.answer(services)
    services.clock.advance(timedelta(minutes=2))
    return states(services)["isolate"]


@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_a_server_is_seen_to_be_one_and_held(vendor):
    with RIGS[vendor]() as rig:
        assert rig.adapter.endpoint(rig.agent_id(FIRST)).role in {Role.WORKSTATION, None}
        become(rig, **SERVER)
        assert rig.adapter.endpoint(rig.agent_id(FIRST)).role is Role.SERVER
        held = isolated(rig, vendor, protected_roles=frozenset({Role.SERVER}))
        assert held == (State.HELD, "protected endpoint (role server): a TRE decides")
        assert rig.effects() == []


@pytest.mark.parametrize("vendor", sorted(TELLS_DOMAIN_CONTROLLERS))
def test_a_domain_controller_is_one_and_a_server_too(vendor):
    with RIGS[vendor]() as rig:
        become(rig, product_type_desc="Domain Controller")
        for role in (Role.DOMAIN_CONTROLLER, Role.SERVER):
            held = isolated(rig, vendor, protected_roles=frozenset({role}))
            assert held == (State.HELD, f"protected endpoint (role {role}): a TRE decides")


@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_a_tag_that_it_was_given_since_holds(vendor):
    with RIGS[vendor]() as rig:
        become(rig, tags=["tier:VIP"])
        tags = rig.adapter.endpoint(rig.agent_id(FIRST)).tags
        assert bool(tags) is (vendor in TELLS_TAGS)
        if vendor in TELLS_TAGS:
            held = isolated(rig, vendor, protected_tags=frozenset({"TIER:v*"}))
            assert held == (State.HELD, "protected endpoint (tag TIER:v*): a TRE decides")


@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_its_group_and_the_name_that_is_shown_now_hold(vendor):
    with RIGS[vendor]() as rig:
        held = isolated(rig, vendor, protected_groups=frozenset({"remed*"}))
        assert held == (State.HELD, "protected endpoint (group remed*): a TRE decides")
    with RIGS[vendor]() as rig:
        held = isolated(rig, vendor, protected_endpoints=frozenset({"fin-*.corp.example"}))
        assert held == (State.HELD, "protected endpoint (name fin-*.corp.example): a TRE decides")
