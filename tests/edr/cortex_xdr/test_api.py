"""Cortex XDR's API: how a key signs, where it goes, and which answers are errors."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ar_workers.domain.errors import AuthRefused, Denied, OutcomeUnknown, Throttled, VendorFault
from ar_workers.edr.cortex_xdr import Config
from ar_workers.simulator import Fault
from tests.builders import agent_id
from tests.edr.cortex_xdr.building import an_error, says
from tests.edr.rigs.base import FIRST, NEIGHBOUR
from tests.edr.rigs.cortex_xdr import cortex_xdr


@pytest.mark.parametrize("level", ["standard", "advanced"])
def test_each_kind_of_key_is_signed_in_its_way(level):
    with cortex_xdr(config={"security_level": level}, facts={"security_level": level}) as rig:
        assert rig.adapter.endpoint(agent_id(FIRST)).model_dump() == rig.endpoint().model_dump()
        assert rig.adapter.endpoint(agent_id(NEIGHBOUR)).hostname == NEIGHBOUR


@pytest.mark.parametrize(("ours", "theirs"), [("standard", "advanced"), ("advanced", "standard")])
def test_the_wrong_kind_of_key_is_refused_and_not_asked_about_again(ours, theirs):
    with cortex_xdr(config={"security_level": ours}, facts={"security_level": theirs}) as rig:
        with pytest.raises(AuthRefused, match="401"):
            rig.adapter.endpoint(agent_id(FIRST))
        assert len(rig.simulation.journal.requests()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api-acme.xdr.us.paloaltonetworks.com",
        "https://evil.example",
        "https://api-acme.xdr.us.paloaltonetworks.com.evil.example",
        "https://api-acme.xdr.us.paloaltonetworks.com/public_api",
        "https://paloaltonetworks.com",
        "ftp://127.0.0.1",
    ],
)
def test_the_key_goes_nowhere_but_to_cortex(url):
    with pytest.raises(ValidationError):
        Config(base_url=url, auth_id=7, api_key="x")


def test_a_tenant_of_any_region_is_taken():
    assert Config(base_url="https://api-acme.xdr.eu.paloaltonetworks.com", auth_id=7, api_key="x")


@pytest.mark.parametrize("extra", ["license is missing", {"reason": "license is missing"}])
def test_what_the_vendor_says_is_read_as_text_or_object(rig, extra):
    says(rig, "*/get_endpoint", an_error(extra), status=500)
    with pytest.raises(VendorFault, match="license is missing"):
        rig.adapter.endpoint(agent_id(FIRST))


@pytest.mark.parametrize(("code", "kind"), [(500, VendorFault), (429, Throttled), (403, AuthRefused), (401, AuthRefused), (402, Denied)])
def test_an_error_within_a_200_is_an_error(rig, code, kind):
    says(rig, "*/get_endpoint", an_error("no", code))
    with pytest.raises(kind):
        rig.adapter.endpoint(agent_id(FIRST))


def test_a_200_without_a_reply_leaves_a_write_unknown_and_a_read_failed(rig):
    rig.simulation.faults.add(Fault(action="reply", status=200, body="[]", path="*/endpoints/*"))
    with pytest.raises(VendorFault):
        rig.adapter.endpoint(agent_id(FIRST))
    with pytest.raises(OutcomeUnknown):
        rig.adapter.perform(rig.action("isolate"), None)


def test_a_read_that_broke_off_may_be_repeated(rig):
    rig.simulation.faults.add(Fault(action="cut", path="*/get_endpoint"))
    with pytest.raises(VendorFault):
        rig.adapter.endpoint(agent_id(FIRST))
