from __future__ import annotations

import base64
import json

import pytest

from ar_workers.simulator.cortex_xdr import commands as cortex_xdr
from ar_workers.simulator.defender import scripts as defender
from ar_workers.simulator.endpoints import Endpoint
from ar_workers.simulator.sentinelone import scripts as sentinelone

KEY = r"HKLM\Software\Evil"


def encoded(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def by_defender(endpoint, key, value):
    order = {"mark": "m", "verb": "delete_registry_key", "key": encoded(key), "value": encoded(value)}
    return defender.run(endpoint, encoded(json.dumps(order))).effects


def by_sentinelone(endpoint, key, value):
    return sentinelone.run(endpoint, encoded(json.dumps({"verb": "delete_registry_key", "order": "o", "key": key, "value": value})), "")[1]


def by_cortex(endpoint, key, value):
    order = {"verb": "delete_registry_key", "key": key, **({"value": value} if value else {})}
    return cortex_xdr.act(endpoint, {"judged_request": encoded(json.dumps(order))})[1]


def an_endpoint(**values):
    return Endpoint("1", "PC-1", registry={KEY: values})


every_script = pytest.mark.parametrize("delete", [by_defender, by_sentinelone, by_cortex])


@every_script
@pytest.mark.parametrize("named", ["", "None"])
def test_an_order_for_a_key_deletes_the_key_whatever_its_values_are_called(delete, named):
    endpoint = an_endpoint(**{named: "evil.exe"})
    assert delete(endpoint, KEY, "") == [("delete_registry_key", KEY, True)]
    assert endpoint.registry == {}


@every_script
def test_an_order_for_a_value_leaves_the_others(delete):
    endpoint = an_endpoint(Run="evil.exe", Other="fine.exe")
    assert delete(endpoint, KEY.upper(), "RUN") == [("delete_registry_key", f"{KEY.upper()}|RUN", True)]
    assert endpoint.registry == {KEY: {"Other": "fine.exe"}}


@every_script
def test_an_order_for_a_value_that_is_not_there_deletes_nothing(delete):
    endpoint = an_endpoint(Run="evil.exe")
    assert delete(endpoint, KEY, "Walk") == [("delete_registry_key", f"{KEY}|Walk" if delete is not by_cortex else KEY, False)]
    assert endpoint.registry == {KEY: {"Run": "evil.exe"}}
