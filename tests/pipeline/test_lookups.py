"""What planning asks of EDRs, and that it does not wait for a silent one again and again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import Denied, NotSent, OutcomeUnknown, VendorFault
from ar_workers.pipeline.lookups import LEFT_ALONE, MOST_ASKED, looked_up
from tests.fakes import FakeEDR, some_services

from .building import FIN, published

UNTOLD = FIN.model_copy(update={"groups": None})


class Asked(FakeEDR):
    """Remembers what it was asked for, and answers with the error as long as it has one."""

    error: Exception | None = None

    def endpoint(self, agent_id):
        self.effects.append(("look", agent_id))
        if self.error:
            raise self.error
        return super().endpoint(agent_id)


@pytest.fixture
def edr():
    return Asked(endpoints={"a1": FIN})


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def services(edr, clock):
    return some_services(edr=edr, monotonic=lambda: clock.now)


def found(services, *endpoints, customer="acme"):
    return dict(looked_up(services, published(endpoints=endpoints or (UNTOLD,), customer=customer)))


def test_only_what_the_event_does_not_tell_is_asked_for(services, edr):
    assert found(services, FIN) == {}
    assert found(services, UNTOLD) == found(services, FIN.model_copy(update={"os": OS.UNKNOWN})) == {"a1": FIN}
    assert len(edr.effects) == 2


def test_of_an_event_that_names_a_whole_fleet_only_so_many_are_asked_for(services, edr):
    fleet = [UNTOLD.model_copy(update={"agent_id": f"b{n}"}) for n in range(MOST_ASKED + 5)]
    found(services, FIN, *fleet)
    assert len(edr.effects) == MOST_ASKED


@pytest.mark.parametrize("error", [NotSent("no connection"), OutcomeUnknown("no answer")])
def test_an_edr_that_does_not_answer_is_left_alone_for_a_while(services, edr, clock, error):
    edr.error = error
    assert found(services, UNTOLD, UNTOLD.model_copy(update={"agent_id": "a2"})) == {}
    assert found(services) == {}
    assert len(edr.effects) == 1
    clock.now += LEFT_ALONE
    edr.error = None
    assert found(services) == {"a1": FIN}


@pytest.mark.parametrize("error", [Denied("404"), VendorFault("503")])
def test_an_edr_that_answers_in_whatever_way_is_asked_for_the_next(services, edr, error):
    edr.error = error
    found(services)
    edr.error = None
    assert found(services) == {"a1": FIN}


def test_the_silence_of_one_customers_edr_is_not_another_customers(services, edr):
    services.edrs["globex", Vendor.CROWDSTRIKE] = Asked(endpoints={"a1": FIN})
    edr.error = OutcomeUnknown("no answer")
    found(services)
    assert found(services, customer="globex") == {"a1": FIN}
