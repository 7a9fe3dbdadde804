"""What is well known or the customer's own waits for a person, whose word opens this guard and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.capabilities import Means
from ar_workers.domain.endpoints import OS
from ar_workers.domain.indicators import IOC, Domain, File, FileHash
from ar_workers.domain.states import State
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.sweep import sweep
from tests.builders import a_policy, capabilities
from tests.edr.rigs import RIGS
from tests.fakes import some_services

from .building import an_edr, play, published, row

EMPTY = "da39a3ee5e6b4b0d3255bfef95601890afd80709"


def an_ioc(indicator, agent_id=None):
    return IOC(indicator=indicator, confirmed_malicious=True, safe_to_act=True, agent_id=agent_id)


def let_through(services, held):
    services.doorbell.ring([services.ledger.requeue(held.id, by="kim", life=timedelta(days=1))])
    play(services)


@pytest.mark.parametrize("domain", ["co.uk", "github.io", "microsoft.com", "acme.example"])
def test_a_ban_is_held_until_a_person_lets_it_through(domain):
    services = some_services(edr=an_edr(), policy=a_policy(named_domains={"acme.example": "receivers.soc"}))
    play(services, published(endpoints=published().endpoints, iocs=(an_ioc(Domain(domain=domain)),)))
    edr, held = services.edrs["acme", "crowdstrike"], row(services, "ban_domain")
    assert (held.state, held.reason.startswith(f"{domain} is ")) == (State.HELD, True)
    assert ("ban_domain", domain) not in edr.effects
    let_through(services, held)
    assert row(services, "ban_domain").state == State.DONE
    assert edr.effects.count(("ban_domain", domain)) == 1


def test_the_tres_are_told_with_the_lists_name_and_the_command():
    services = some_services(edr=an_edr())
    play(services, published(iocs=(an_ioc(Domain(domain="co.uk")),)))
    told = [each.notification for each in services.channels["tre", "slack"].sent if each.notification.kind == "action_needed"]
    assert dict(told[0].facts)["Reason"].startswith("co.uk is a public suffix (publicsuffixlist)")
    assert f"arctl actions requeue {row(services, 'ban_domain').id}" in told[0].body


def test_an_approval_of_one_guard_does_not_open_the_other():
    """A file of a well-known content on a protected endpoint: two guards, and each wants its own word."""
    services = some_services(edr=an_edr(), policy=a_policy(protected_endpoints={"FIN-1"}))
    file = File(path=r"C:\Users\kim\x.exe", sha1=EMPTY)
    play(services, published(iocs=(an_ioc(file, "a1"),)))
    edr = services.edrs["acme", "crowdstrike"]
    seen = []
    for _ in range(2):
        held = row(services, "delete_file")
        assert held.state == State.HELD
        seen.append(held.reason)
        assert not [each for each in edr.effects if each[0] == "delete_file"]
        let_through(services, held)
    assert seen[0] == "protected endpoint (name FIN-1): a TRE decides"
    assert "'List of known hashes for empty files'" in seen[1]
    assert row(services, "delete_file").state == State.DONE


def test_the_empty_files_ban_stays_skipped_which_no_approval_opens():
    services = some_services(edr=an_edr())
    play(services, published(iocs=(an_ioc(FileHash(sha1=EMPTY, md5="d41d8cd98f00b204e9800998ecf8427e")),)))
    assert (row(services, "ban_hash").state, services.edrs["acme", "crowdstrike"].effects) == (State.SKIPPED, [("isolate", "FIN-1")])


VENDORS = [vendor for vendor in RIGS if capabilities().means(vendor, "ban_domain", OS.WINDOWS) is not Means.NONE]


@pytest.mark.parametrize("vendor", VENDORS, ids=str)
def test_an_edr_is_asked_for_nothing_before_a_person_has_let_it_through(vendor):
    with RIGS[vendor]() as rig:
        rules = a_policy(remediate_groups={vendor: frozenset({"Remediate"})})
        services = some_services(policy=rules, edrs={("acme", vendor): rig.adapter}, capabilities=capabilities())
        services.ledger.pause("acme", "verb:isolate", "only the ban is looked at")
        ingest(services.ledger, services.doorbell, [published(endpoints=(rig.endpoint(),), iocs=(an_ioc(Domain(domain="microsoft.com")),))])
        work(services, rig)
        held = row(services, "ban_domain")
        assert (held.state, rig.written()) == (State.HELD, [])
        services.doorbell.ring([services.ledger.requeue(held.id, by="kim", life=timedelta(days=1))])
        work(services, rig)
        assert row(services, "ban_domain").state == State.DONE
        assert rig.written()


def work(services, rig):
    for _ in range(6):
        services.doorbell.answer(services)
        services.clock.advance(timedelta(minutes=2))
        rig.simulation.clock.advance(120)
        sweep(services)
