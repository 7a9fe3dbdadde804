"""Of a remediate group only a share is isolated in an hour: how its size is known, and what is done where it is not."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

import pytest

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.errors import AuthRefused, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.domain.states import State
from ar_workers.pipeline.recheck import recheck_unsupported_os
from tests.builders import a_policy, an_endpoint
from tests.fakes import FakeEDR, some_services

from .building import play, published

GROUP = "crowdstrike/Remediate"


@dataclass
class Listing(FakeEDR):
    """An EDR that counts what is read of its groups, and may refuse to list one."""

    listed: list[str] = field(default_factory=list)
    refusal: Exception | None = None

    def members(self, group):
        if self.refusal:
            self.listed.append(group)
            raise self.refusal
        for each in super().members(group):
            self.listed.append(group)
            yield each


def fleet(number, *, group="Remediate", name="PC"):
    return tuple(an_endpoint(f"{name}-{n}", groups=frozenset({group})) for n in range(number))


def an_edr(*endpoints, **more):
    return Listing(endpoints={each.agent_id: each for each in endpoints}, **more)


def isolated(services, *endpoints, **changes):
    """How the isolations of a threat on these endpoints end, by state."""
    play(services, published(endpoints=endpoints, iocs=(), **changes), rounds=2)
    return Counter(row.state for row in services.ledger.rows("acme", "THREAT-1") if row.verb == "isolate")


def reasons(services):
    return {row.reason for row in services.ledger.held("acme")}


@pytest.mark.parametrize(("size", "done"), [(8, 5), (30, 6), (60, 12), (200, 25)])
def test_a_fifth_of_a_group_is_isolated_and_the_rest_is_held(size, done):
    hosts = fleet(size)
    edr = an_edr(*hosts)
    services = some_services(edr=edr, policy=a_policy())
    assert isolated(services, *hosts[:40]) == {"done": done, "held": len(hosts[:40]) - done}
    assert len(edr.effects) == done
    assert {row.held_by for row in services.ledger.held("acme")} == {"blast_radius"}


def test_the_reason_names_the_group_its_size_and_its_share():
    hosts = fleet(30)
    services = some_services(edr=an_edr(*hosts), policy=a_policy())
    isolated(services, *hosts[:7])
    wanted = "blast radius: 6 isolations of group crowdstrike/Remediate in the last 1 h (20 % of 30 endpoints); a TRE decides"
    assert reasons(services) == {wanted}


def test_a_large_group_is_counted_once_and_no_further_than_the_cap_needs():
    hosts = fleet(300)
    edr = an_edr(*hosts)
    services = some_services(edr=edr, policy=a_policy())
    assert isolated(services, *hosts[:30]) == {"done": 25, "held": 5}
    assert len(edr.listed) == 125
    assert services.ledger.group_sizes("acme", [GROUP]) == {GROUP: 125}


def test_the_recheck_counts_the_groups_so_that_no_isolation_has_to():
    hosts = fleet(40)
    edr = an_edr(*hosts)
    services = some_services(edr=edr, policy=a_policy())
    recheck_unsupported_os(services, "acme", Vendor.CROWDSTRIKE)
    assert services.ledger.group_sizes("acme", [GROUP]) == {GROUP: 40}
    edr.listed.clear()
    assert isolated(services, *hosts[:10]) == {"done": 8, "held": 2}
    assert edr.listed == []


def test_a_group_that_could_not_be_read_to_its_end_is_not_counted():
    hosts = fleet(40)

    class Breaking(Listing):
        def members(self, group):
            yield from hosts[:10]
            raise VendorFault("the second page failed")

    services = some_services(edr=Breaking(), policy=a_policy())
    assert recheck_unsupported_os(services, "acme", Vendor.CROWDSTRIKE) == 0
    assert services.ledger.group_sizes("acme", [GROUP]) == {}


def test_of_a_group_whose_size_cannot_be_read_only_a_few_are_isolated_and_the_reason_says_why():
    hosts = fleet(100)
    edr = an_edr(*hosts, refusal=AuthRefused("GET /devices/combined/host-groups/v1: 403 scope not permitted"))
    services = some_services(edr=edr, policy=a_policy(), monotonic=lambda: 0.0)
    assert isolated(services, *hosts[:12]) == {"done": 5, "held": 7}
    (why,) = reasons(services)
    assert "its size is not known: AuthRefused: GET /devices/combined/host-groups/v1: 403 scope not permitted" in why
    assert len(edr.listed) == 1


def test_a_group_that_could_not_be_read_is_asked_for_again_after_a_minute():
    hosts, now = fleet(100), [0.0]
    edr = an_edr(*hosts, refusal=VendorFault("503"))
    services = some_services(edr=edr, policy=a_policy(), monotonic=lambda: now[0])
    isolated(services, *hosts[:2])
    edr.refusal, now[0] = None, 61.0
    play(services, published(id="e2", endpoints=hosts[2:20], iocs=()), rounds=1)
    assert Counter(row.state for row in services.ledger.rows("acme", "THREAT-1") if row.verb == "isolate") == {"done": 20}


@pytest.mark.parametrize("is_counted", [True, False])
def test_an_endpoint_whose_groups_were_not_known_when_it_was_planned_counts_by_what_the_edr_shows(is_counted):
    hosts = fleet(40)
    services = some_services(edr=an_edr(*hosts), policy=a_policy(), unanswered={("acme", Vendor.CROWDSTRIKE): float("inf")})
    if is_counted:
        services.ledger.keep_group_size("acme", GROUP, 40)
    unknown = [each.model_copy(update={"groups": None}) for each in hosts[:12]]
    assert isolated(services, *unknown) == {"done": 8, "held": 4}


def test_a_small_group_does_not_keep_another_from_its_share():
    small, large = fleet(10, group="Small", name="S"), fleet(200, group="Large", name="L")
    edr = an_edr(*small, *large)
    policy = a_policy(remediate_groups={Vendor.CROWDSTRIKE: frozenset({"Small", "Large"})})
    services = some_services(edr=edr, policy=policy)
    assert isolated(services, *small, *large[:30])["done"] == 25
    assert sum(label.startswith("S-") for _, label in edr.effects) == 5


def test_without_a_share_no_group_is_listed():
    hosts = fleet(30)
    edr = an_edr(*hosts)
    services = some_services(edr=edr, policy=a_policy(isolations_percent_of_group=100))
    assert isolated(services, *hosts) == {"done": 25, "held": 5}
    assert edr.listed == []


def test_what_is_isolated_already_or_protected_uses_up_nothing():
    hosts = fleet(30)
    edr = an_edr(*hosts, looks=deque([Sight.PRESENT] * 4))
    services = some_services(edr=edr, policy=a_policy(protected_endpoints={each.hostname for each in hosts[4:10]}))
    assert isolated(services, *hosts[:16]) == {"already": 4, "held": 6, "done": 6}
    assert {row.held_by for row in services.ledger.held("acme")} == {"protected"}


def test_an_approval_lets_pass_what_is_beyond_the_share():
    hosts = fleet(8)
    services = some_services(edr=an_edr(*hosts), policy=a_policy())
    isolated(services, *hosts)
    rings = [services.ledger.approve(row.id, by="kim", reason="outbreak", life=services.lease) for row in services.ledger.held("acme")]
    services.doorbell.ring(rings)
    play(services, rounds=1)
    assert {row.state for row in services.ledger.rows("acme", "THREAT-1") if row.verb == "isolate"} == {State.DONE}
