"""What a checkup finds at each EDR: nothing wrong in a good world, and each thing that is missing by its own name."""

from __future__ import annotations

import pytest

from ar_workers.domain.checkups import Light
from ar_workers.domain.endpoints import Vendor
from ar_workers.pipeline.checkup import groups_found
from ar_workers.simulator import Fault

from .rigs import KITS, RIGS
from .rigs.base import FIRST

REFUSALS = [(vendor, scope, name) for vendor, kit in KITS.items() for scope, name in kit.permissions.items()]


@pytest.fixture(params=list(RIGS), ids=str)
def rig(request):
    with RIGS[request.param]() as rig:
        yield rig


def credential(rig):
    return rig.simulation.world.tenants["acme"].credentials[0]


def lights(rig, light):
    return {check.name for check in rig.adapter.checkup() if check.light is light}


def counted(rig, *groups):
    return list(groups_found(rig.adapter, groups, is_late=lambda: False))


def test_in_a_good_world_nothing_is_red_and_only_what_cannot_be_tested_is_a_warning(rig):
    checks = list(rig.adapter.checkup())
    assert [check for check in checks if check.light is Light.RED] == []
    assert {check.name for check in checks if check.light is Light.WARN} == KITS[rig.vendor].untestable


def test_a_checkup_asks_for_no_effect_and_nothing_that_writes(rig):
    list(rig.adapter.checkup())
    counted(rig, "Remediate")
    assert rig.written() == []
    assert rig.effects() == []


def test_wrong_credentials_are_red_and_nothing_more_is_asked(rig):
    credential(rig).client_secret = "another"
    checks = list(rig.adapter.checkup())
    assert [(check.name, check.light) for check in checks if check.name != "clock"] == [("credentials", Light.RED)]
    assert "canary-secret" not in repr(checks)


@pytest.mark.parametrize(("vendor", "scope", "name"), REFUSALS)
def test_a_missing_permission_is_red_by_the_name_that_the_vendor_gives_it(vendor, scope, name):
    with RIGS[vendor]() as rig:
        others = [each for each in KITS[vendor].permissions if each != scope]
        credential(rig).scopes[:] = others
        found = lights(rig, Light.RED)
    assert name in found
    assert found - {name, "live response scripts"} == set()


def test_a_missing_group_is_red_and_one_that_is_there_is_counted(rig):
    missing, there = sorted(counted(rig, "Nobody's", "Remediate"), key=lambda check: check.light)[::-1]
    assert (missing.light, missing.name) == (Light.RED, "group Nobody's")
    assert (there.light, there.detail) == (Light.OK, "2 endpoints")


def test_a_count_that_takes_too_long_says_how_far_it_came(rig):
    found = next(groups_found(rig.adapter, ["Remediate"], is_late=lambda: True))
    assert (found.light, found.detail) == (Light.WARN, "at least 1 endpoints: there was no time to count them all")


def test_an_empty_group_is_a_warning_or_where_the_edr_cannot_tell_red(rig):
    rig.change(FIRST, groups=[])
    rig.change("NEIGHBOUR", groups=[])
    cannot_tell = rig.vendor in {Vendor.DEFENDER, Vendor.CORTEX_XDR}
    if rig.vendor is Vendor.CARBON_BLACK_EDR:
        rig.change(FIRST, groups=["2"])
        rig.change("NEIGHBOUR", groups=["2"])
    assert counted(rig, "Remediate")[0].light is (Light.RED if cannot_tell else Light.WARN)


def test_a_clock_that_is_an_hour_off_is_red(rig):
    rig.simulation.clock.advance(3600)
    check = next(check for check in rig.adapter.checkup() if check.name == "clock")
    assert check.light is Light.RED
    assert "ahead of ours" in check.detail


def test_an_edr_that_is_away_is_red_and_ends_the_checkup(rig):
    rig.server.stop()
    assert [(check.name, check.light) for check in rig.adapter.checkup()] == [("credentials", Light.RED), ("clock", Light.WARN)]


def test_one_read_that_fails_does_not_stop_the_others(rig):
    before = len(list(rig.adapter.checkup()))
    rig.simulation.faults.add(Fault(action="reply", status=500, body="{}", vendor=rig.vendor, calls=(2,)))
    checks = list(rig.adapter.checkup())
    assert len(checks) == before
    assert sum(check.light is Light.RED for check in checks) == 1


def test_scripts_that_are_not_in_defenders_library_are_red():
    with RIGS[Vendor.DEFENDER](facts={}) as rig:
        assert lights(rig, Light.RED) == {"live response scripts"}


def test_scripts_that_are_not_in_cortexs_library_are_red():
    with RIGS[Vendor.CORTEX_XDR](facts={"scripts": {"ar_workers_act": None}}) as rig:
        assert lights(rig, Light.RED) == {"Scripts: view"}


def test_a_script_that_is_not_in_sentinelones_library_is_red():
    with RIGS[Vendor.SENTINELONE](config={"scripts": {"windows": "2999"}}) as rig:
        assert lights(rig, Light.RED) == {"RemoteOps scripts: view"}


def test_banning_that_is_switched_off_at_carbon_black_edr_is_red():
    with RIGS[Vendor.CARBON_BLACK_EDR](banning_enabled=False) as rig:
        assert lights(rig, Light.RED) == {"Banning switched on at the server"}
