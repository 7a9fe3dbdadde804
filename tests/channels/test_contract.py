"""What every channel promises: one request per sending, the right result for every answer, and no secret anywhere."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from ar_workers.channels import CHANNELS
from ar_workers.domain.leases import Lease, working_under
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault, Simulation

from .rigs import OUTCOMES, RIGS, a_world


def test_every_channel_has_a_rig():
    assert {name.split()[0] for name in RIGS} == set(CHANNELS)


def test_what_is_accepted_arrives_once(rig):
    result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is Answer.ACCEPTED
    assert result.reference
    assert len(rig.messages()) == 1


def test_severity_classification_and_link_arrive(rig):
    rig.channel.send(rig.delivery, "acme:slack:1")
    shown = str(rig.messages()[0]["body"])
    for part in ("high", "Ransomware", rig.link):
        assert part.casefold() in shown.casefold()


@pytest.mark.parametrize(("name", "fault", "answer"), OUTCOMES, ids=[f"{n}-{f.action}-{f.status}-{a}" for n, f, a in OUTCOMES])
def test_every_answer_has_its_result_and_costs_one_request(simulation, name, fault, answer):
    rig = RIGS[name](simulation)
    simulation.faults.add(Fault(**{**vars(fault), "vendor": rig.vendor}))
    result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is answer
    if rig.vendor != "mail":
        simulation.journal.wait_for(lambda each: each["kind"] == "request", timeout=3)
        assert len(rig.requests()) == 1
    assert len(rig.messages()) <= 1
    if "Retry-After" in fault.headers:
        assert result.retry_after == timedelta(seconds=7)
    if fault.action == "redirect":
        assert result.code == "redirect_refused"


@pytest.mark.parametrize("name", sorted(RIGS))
def test_a_provider_that_refuses_the_connection_was_surely_not_told(name):
    with Simulation(a_world()) as closed:
        rig = RIGS[name](closed)
        closed.stop()
        result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is Answer.RETRY


def test_a_worker_that_wakes_up_after_its_lease_tells_nobody(rig):
    with working_under(Lease(0.0, 0.0)):
        result = rig.channel.send(rig.delivery, "acme:slack:1")
    assert result.answer is Answer.RETRY
    assert [each["kind"] for each in rig.simulation.journal.entries() if each["kind"] == "message"] == []


def test_no_secret_is_logged_shown_or_raised(rig, caplog):
    caplog.set_level(logging.DEBUG)
    rig.channel.send(rig.delivery, "acme:slack:1")
    rig.simulation.faults.add(Fault(action="reply", status=500, body="no", vendor=rig.vendor))
    result = rig.channel.send(rig.delivery, "acme:slack:2")
    shown = caplog.text + repr(rig.channel) + repr(vars(rig.channel)) + repr(result) + str(rig.simulation.journal.entries())
    assert [secret for secret in rig.secrets if secret in shown] == []
