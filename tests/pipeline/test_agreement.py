"""A row and its order say the same, or nothing is asked: whoever writes to Redis borrows nobody's credential."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ar_workers.domain.actions import IsolateEndpoint
from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.events import WorkHindered
from ar_workers.domain.new_rows import EventPlan, action_row, delivery_row
from ar_workers.domain.states import State
from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.pipeline.deliver import deliver
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.respond import respond
from tests.builders import NOON, a_delivery, a_domain_ban, a_release, a_threat, a_threat_published, an_endpoint, an_isolate
from tests.fakes import FakeChannel, FakeEDR, some_services
from tests.keys import SEALS

DAY = timedelta(days=1)


def planted(row, customer="acme", **more):
    """Services in whose ledger somebody has written this row under that customer's keys."""
    edr = FakeEDR(endpoints={an_endpoint().agent_id: an_endpoint()})
    services = some_services(edr=edr, **more)
    event = a_threat_published(id="forged", customer=customer, threat=a_threat(id="FORGED"), endpoints=())
    services.ledger.accept([event])
    services.ledger.record([EventPlan(event=event, rows=[row])])
    return services, edr


def an_honest_row():
    return action_row(an_isolate(), "FORGED", after=(), life=DAY)


def test_a_row_that_agrees_with_its_order_is_carried_out():
    services, edr = planted(an_honest_row())
    execute(services, [an_honest_row().id])
    assert [verb for verb, _ in edr.effects] == ["isolate"]


@pytest.mark.parametrize("was_dry", [True, False])
def test_a_dry_order_is_made_one_in_earnest_by_nobody_who_writes_to_redis(was_dry):
    action = an_isolate().model_copy(update={"is_dry": was_dry})
    row = action_row(action, "FORGED", after=(), life=DAY)
    services, edr = planted(replace(row, is_dry=not was_dry, order=action.model_copy(update={"is_dry": not was_dry}).written()))
    execute(services, [row.id])
    kept = services.ledger.row(row.id)
    assert (kept.state, edr.effects) == (State.FAILED, [])
    assert kept.reason.startswith("security: the row and its order do not agree, nothing was asked: id: ")


@pytest.mark.parametrize("customer", ["globex", "nobody"])
def test_a_row_of_another_customer_does_not_use_the_credential_of_the_one_in_its_order(customer, caplog):
    name = an_honest_row().id.replace("acme:", f"{customer}:")
    services, edr = planted(replace(an_honest_row(), id=name), customer=customer)
    services.ledger.pause("acme", "*", "paused, which the row of another customer would not see")
    execute(services, [name])
    kept = services.ledger.row(name)
    assert (kept.state, edr.effects) == (State.FAILED, [])
    assert kept.reason.startswith("security: the row and its order do not agree, nothing was asked: customer: row ")
    assert "do not agree" in caplog.text
    assert next(ring.id for ring in services.ledger.due(10, DAY)).startswith(f"{customer}:event/.failed-")


FORGED = {
    "verb": {"verb": "release"},
    "edr": {"edr": "defender"},
    "lane": {"lane": "crowdstrike/another"},
    "remote": {"remote": ""},
    "id": {"id": "acme:isolate:0123456789abcdef"},
    "another endpoint's order": {"order": an_isolate(an_endpoint("OTHER-PC")).model_dump_json()},
    "another verb's order": {"order": a_release().model_dump_json()},
    "another kind's order": {"order": a_domain_ban().model_dump_json()},
    "an endpoint of another EDR": {
        "order": IsolateEndpoint(customer="acme", edr=Vendor.CROWDSTRIKE, endpoint=an_endpoint(edr=Vendor.DEFENDER)).model_dump_json()
    },
    "no order": {"order": "{}"},
    "no JSON": {"order": "\x00"},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED.keys())
def test_nothing_is_asked_for_a_row_that_says_something_else_than_its_order(change):
    row = replace(an_honest_row(), **change)
    services, edr = planted(row)
    execute(services, [row.id])
    assert services.ledger.row(row.id).state is State.FAILED
    assert services.ledger.row(row.id).reason.startswith("security: ")
    assert edr.effects == []


def test_nobody_is_told_what_a_row_of_another_customer_holds():
    delivery = a_delivery("slack", "tre").model_copy(update={"receiver": a_delivery().receiver.model_copy(update={"name": "slack"})})
    honest = delivery_row(delivery, "forged", "FORGED", life=DAY)
    slack = FakeChannel()
    row = replace(honest, id=honest.id.replace("acme:", "globex:"))
    services, _ = planted(row, customer="globex", channels={"slack": slack})
    deliver(services, [row.id])
    assert (services.ledger.row(row.id).state, slack.sent) == (State.FAILED, [])
    services, _ = planted(honest, channels={"slack": slack})
    deliver(services, [honest.id])
    assert len(slack.sent) == 1


def test_an_event_under_another_customers_name_is_never_planned(real_redis, redis_url):
    client = connect(redis_url)
    ledger = RedisLedger(client, seals=SEALS)
    services = some_services(ledger=ledger)
    event = a_threat_published(id="e1")
    ledger.accept([event.model_copy(update={"customer": "globex"})])
    client.hset("ar:{globex}:event:e1", "json", event.model_dump_json())
    respond(services, ["globex:event/e1"])
    assert ledger.rows("acme", event.threat_id) == ledger.rows("globex", event.threat_id) == []
    assert "security: its seal does not fit" in ledger.threat("globex", event.threat_id).timeline[-1].text


def test_what_the_ledger_says_of_itself_is_not_told_under_another_customers_name():
    services = some_services()
    client, said = (
        services.ledger._redis,
        WorkHindered(id=".own", customer="acme", occurred_at=NOON, threat_ref="configuration", what="hindered"),
    )
    services.ledger.accept([said.model_copy(update={"customer": "globex"})])
    client.hset("ar:{globex}:event:.own", "json", said.model_dump_json())
    respond(services, ["globex:event/.own"])
    assert services.ledger.rows("globex", "configuration") == []
    assert "security: it says of itself" in client.hget("ar:{globex}:event:.own", "reason")
