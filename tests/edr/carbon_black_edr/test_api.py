"""What a server of Carbon Black EDR may answer and still be believed, and where its token may go."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from ar_workers.domain.errors import AuthRefused, Denied, VendorFault
from ar_workers.edr.carbon_black_edr import Config
from ar_workers.simulator import Fault
from tests.builders import a_delete
from tests.edr.carbon_black_edr.building import SEVEN
from tests.edr.rigs.carbon_black_edr import carbon_black_edr


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/api/v1/sensor/7", {"id": 70, "status": "Online"}, "not about this sensor"),
        ("POST", "/api/v1/cblr/session", {}, "no id in the reply"),
        ("POST", "/api/v1/cblr/session/1/command", {"status": "pending"}, "no id in the reply"),
        ("GET", "/api/v1/cblr/session/1", {"sensor_id": 70, "status": "active"}, "has ended"),
        ("GET", "/api/v1/cblr/session/1/command/1", {"status": "in progress"}, "has not answered in time"),
        ("GET", "/api/v1/cblr/session/1/command/1", {"status": "error", "result_code": -2147024891}, "0x80070005"),
        ("GET", "/api/v1/cblr/session/1/command/1", {"status": "complete", "result_code": 0}, "no list in the result"),
        ("GET", "/api/v1/sensor", [{"group_id": 1}], "without an id"),
        ("GET", "/api/v1/sensor", {"results": []}, "no list in the reply"),
    ],
)
def test_an_answer_to_something_else_is_a_fault_and_no_fact(method, path, body, said):
    with carbon_black_edr(patience=0) as rig:
        rig.simulation.faults.add(Fault(action="reply", status=200, body=json.dumps(body), method=method, path=path))
        with pytest.raises(VendorFault, match=said):
            list(rig.adapter.members("Remediate")) if path == "/api/v1/sensor" else rig.adapter.observe(a_delete(SEVEN), None)


def test_refusals_in_plain_text_are_shown_and_html_is_not(rig):
    rig.simulation.faults.add(Fault(action="reply", status=400, body="Sensor is\nbusy", path="/api/v1/sensor/7"))
    with pytest.raises(Denied, match=r"400 Sensor is busy$"):
        rig.adapter.endpoint("7")
    rig.simulation.faults.clear()
    rig.simulation.faults.add(Fault(action="reply", status=504, body="<html>nginx</html>", path="/api/v1/sensor/7"))
    with pytest.raises(VendorFault, match=r"504$"):
        rig.adapter.endpoint("7")


def test_a_token_that_is_not_known_is_final(rig):
    rig.simulation.world.tenant("acme").credentials.clear()
    with pytest.raises(AuthRefused):
        rig.adapter.endpoint("7")
    assert len(rig.simulation.journal.requests()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://edr.acme.example",
        "https://",
        "https://user:pass@edr.acme.example",
        "https://edr.acme.example/api",
        "https://edr.acme.example?x=1",
        "ftp://127.0.0.1",
        "http://127.0.0.1.evil.example",
    ],
)
def test_the_token_goes_only_to_a_bare_https_address(url):
    with pytest.raises(ValidationError):
        Config(base_url=url, token="t")


@pytest.mark.parametrize("url", ["https://edr.acme.example", "https://10.0.0.5:8443/", "http://127.0.0.1:9000"])
def test_any_server_of_the_customers_own_will_do(url):
    assert Config(base_url=url, token="t").base_url == url
