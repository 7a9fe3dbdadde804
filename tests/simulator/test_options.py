from __future__ import annotations

import pytest

from ar_workers.simulator import Simulation, World
from ar_workers.simulator.clock import VirtualClock
from ar_workers.simulator.journal import Journal
from ar_workers.simulator.options import is_named
from ar_workers.simulator.simulation import twin_of
from tests.simulator.twins import TWINS


@pytest.mark.parametrize("vendor", TWINS)
def test_every_twin_refuses_an_option_that_it_does_not_have(vendor):
    world, clock = World(options={vendor: {"nonsense": 1}}), VirtualClock()
    with pytest.raises(ValueError, match=f"unknown {vendor} options: nonsense"):
        twin_of(vendor)(world, clock, Journal(clock))


@pytest.mark.parametrize("vendor", TWINS)
def test_a_twin_reads_the_options_of_its_own_vendor_only(vendor):
    others = {other: {"nonsense": 1} for other in TWINS if other != vendor}
    clock = VirtualClock()
    assert twin_of(vendor)(World(options=others), clock, Journal(clock)).vendor == vendor


@pytest.mark.parametrize("vendor", ["crowdstrikes", "clock", "inboxes", "a.b", "../x"])
def test_a_world_of_a_vendor_without_a_twin_is_refused_by_its_name(vendor):
    world = World.from_dict({"tenants": {"acme": {"vendor": vendor}}})
    with pytest.raises(ValueError, match=f"there is no twin of '{vendor}': .* has no TWIN"):
        Simulation(world)


@pytest.mark.parametrize(
    ("style", "found"),
    [("exact", ["Remediate"]), ("folded", ["Remediate", "REMEDIATE"]), ("partial", ["Remediate", "REMEDIATE", "no remediate yet"])],
)
def test_names_compare_as_the_vendor_compares_them(style, found):
    names = ["Remediate", "REMEDIATE", "no remediate yet", "Remed"]
    assert [name for name in names if is_named(name, "Remediate", style)] == found
