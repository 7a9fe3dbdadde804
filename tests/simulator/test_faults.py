"""What can go wrong on the wire, and when."""

from __future__ import annotations

import http.client
import json
import threading
import time

import pytest

from ar_workers.simulator import Fault
from ar_workers.simulator.faults import FaultPlan
from tests.simulator.worlds import AID, DEVICES, TOKEN

ACTIONS = "/devices/entities/devices-actions/v2"
BROKEN = (ConnectionResetError, http.client.RemoteDisconnected, http.client.IncompleteRead)


def struck(plan, calls):
    return [plan.draw(vendor="v", tenant="t", method="GET", path="/x") is not None for _ in range(calls)]


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ({"calls": (2, 4)}, [False, True, False, True, False]),
        ({"first": 2}, [True, True, False, False, False]),
        ({"every": 2}, [False, True, False, True, False]),
        ({"times": 1}, [True, False, False, False, False]),
        ({"method": "POST"}, [False] * 5),
        ({"path": "/y*"}, [False] * 5),
        ({"tenant": "other"}, [False] * 5),
        ({"body_contains": "x"}, [False] * 5),
    ],
)
def test_a_fault_strikes_the_calls_it_names(when, hits):
    plan = FaultPlan()
    plan.add(Fault(action="delay", **when))
    assert struck(plan, 5) == hits


def test_chance_repeats_itself_with_its_seed():
    plans = [FaultPlan(seed=seed) for seed in (1, 1, 2)]
    for plan in plans:
        plan.add(Fault(action="delay", probability=0.5))
    one, same, other = (struck(plan, 40) for plan in plans)
    assert one == same != other
    assert 5 < sum(one) < 35


@pytest.mark.parametrize("document", [{}, {"action": "explode"}, {"action": "delay", "when": 1}])
def test_a_fault_that_cannot_be_read_is_refused(document):
    with pytest.raises(ValueError, match="fault"):
        Fault.from_dict(document)


def test_a_reset_before_the_effect_leaves_the_world_alone(acme):
    acme.simulation.faults.add(Fault(action="reset_before", path=ACTIONS))
    with pytest.raises(BROKEN):
        acme.contain(AID)
    assert (acme.status(), acme.effects()) == ("normal", [])


@pytest.mark.parametrize("action", ["reset_after", "hang_after", "cut"])
def test_an_effect_may_outlive_its_answer(acme, action):
    acme.simulation.faults.add(Fault(action=action, path=ACTIONS, seconds=0.05))
    with pytest.raises(BROKEN):
        acme.contain(AID)
    assert acme.effects() == [("isolate", AID, True)]
    assert acme.simulation.journal.requests(path=ACTIONS)[0]["fault"] == action


def test_a_truncated_answer_is_no_json(acme):
    acme.call("GET", DEVICES)
    acme.simulation.faults.add(Fault(action="truncate", path=DEVICES))
    with pytest.raises(json.JSONDecodeError):
        acme.call("GET", DEVICES)


def test_a_planned_answer_never_reaches_the_twin(acme):
    acme.simulation.faults.add(Fault(action="reply", path=ACTIONS, status=429, body="{}", headers={"Retry-After": "3"}))
    answer = acme.contain(AID)
    assert (answer.status, answer.headers["retry-after"], acme.effects()) == (429, "3", [])


def test_a_fault_may_be_one_tenants_own(acme):
    acme.simulation.faults.add(Fault(action="reply", tenant="acme", status=503, body="{}"))
    assert acme.call("GET", DEVICES).status == 503
    assert acme.log_in().status == 201


def test_a_delay_only_delays(acme):
    acme.simulation.faults.add(Fault(action="delay", path=TOKEN, seconds=0.1, label="slow login"))
    started = time.monotonic()
    assert acme.log_in().status == 201
    assert time.monotonic() - started > 0.09
    assert acme.simulation.faults.hits() == {"slow login": 1}


def test_one_connection_carries_many_requests(acme):
    acme.call("GET", DEVICES)
    connection = http.client.HTTPConnection("127.0.0.1", acme.simulation.twins["crowdstrike"].port, timeout=5)
    for _ in range(3):
        connection.request("GET", DEVICES, headers={"Authorization": f"Bearer {acme.token}"})
        assert connection.getresponse().read()
        kept = connection.sock
    assert kept is not None
    connection.close()


def test_a_body_may_come_in_chunks(acme):
    acme.call("GET", DEVICES)
    connection = http.client.HTTPConnection("127.0.0.1", acme.simulation.twins["crowdstrike"].port, timeout=5)
    headers = {"Authorization": f"Bearer {acme.token}", "Content-Type": "application/json"}
    connection.request("POST", "/devices/entities/devices/v2", iter([b'{"ids":', f'["{AID}"]}}'.encode()]), headers, encode_chunked=True)
    reply = connection.getresponse()
    assert json.loads(reply.read())["resources"][0]["device_id"] == AID
    connection.close()


def test_hundreds_of_connections_are_taken_at_once(acme):
    acme.call("GET", DEVICES)
    together, statuses = threading.Barrier(200), []

    def ask():
        together.wait()
        statuses.append(acme.call("GET", DEVICES).status)

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 200


class Dawdling:
    """A world's endpoint whose status is read slowly, so that whoever holds no lock is overtaken."""

    def __get__(self, endpoint, kind):
        status = endpoint.__dict__["_status"]
        time.sleep(0.01)
        return status

    def __set__(self, endpoint, status):
        endpoint.__dict__["_status"] = status


def test_containments_at_once_change_the_world_once(acme):
    acme.call("GET", DEVICES)
    endpoint = acme.simulation.world.endpoint("acme", AID)
    endpoint.__dict__["_status"] = endpoint.status
    endpoint.__class__ = type("Slow", (type(endpoint),), {"status": Dawdling()})
    threads = [threading.Thread(target=acme.contain, args=(AID,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed for *_, changed in acme.effects()) == [False] * 7 + [True]
