"""Each EDR and each feed is asked as often as it says itself."""

from __future__ import annotations

from datetime import timedelta

from ar_workers.domain.limits import Limits, Rate
from ar_workers.pipeline.limits import declare_limits
from tests.fakes import PLENTY, some_services

from .building import an_edr

FEW = Limits(rates=(Rate(calls=4, per=timedelta(hours=1)),), on_429="none", source="made up")


class Feed:
    def __init__(self, limits):
        self.limits = limits


def spent(services, remote):
    return next(n for n in range(10) if services.ledger.spend("acme", remote, may_use_reserve=True))


def test_an_edr_and_a_feed_of_another_name_are_limited_each_for_itself():
    services = some_services(edr=an_edr(limits=FEW), feeds={("acme", "redcanary"): Feed(FEW)})
    declare_limits(services)
    assert (spent(services, "crowdstrike"), spent(services, "redcanary")) == (1, 1)


def test_a_feed_of_an_edr_that_acts_as_well_does_not_loosen_its_limit():
    services = some_services(edr=an_edr(limits=FEW), feeds={("acme", "crowdstrike"): Feed(PLENTY)})
    declare_limits(services)
    assert spent(services, "crowdstrike") == 1
