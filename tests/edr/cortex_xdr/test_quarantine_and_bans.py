"""What Cortex XDR does by a file's hash: bans, which mostly cannot be read back, and quarantine."""

from __future__ import annotations

import pytest

from ar_workers.domain.actions import ACTIONS
from ar_workers.domain.capabilities import Means
from ar_workers.domain.errors import Denied, Unsupported, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.domain.indicators import File, FileHash
from ar_workers.edr.cortex_xdr import CortexXDR
from ar_workers.edr.cortex_xdr.adapter import BLOCK
from tests.builders import EVIL, sha256
from tests.edr.cortex_xdr.building import SHELL, an_error, performed, says
from tests.edr.rigs.cortex_xdr import V1, cortex_xdr


@pytest.mark.parametrize("nothing_added", ["error", "excluded"])
@pytest.mark.parametrize(("detailed", "status"), [(True, "500"), (False, "500"), (True, "200")])
def test_a_ban_says_that_it_rests_on_the_answer_alone(detailed, status, nothing_added):
    with cortex_xdr(detailed_response=detailed, error_status=status, nothing_added=nothing_added) as rig:
        action, receipt = performed(rig, "ban_hash")
        fact = rig.adapter.observe(action, receipt)
        assert (fact.sight, "not read back" in fact.evidence) == (Sight.PRESENT, True)
        again = rig.adapter.observe(action, rig.adapter.perform(action, None))
        assert (again.sight, "allow or block list" in again.evidence) == (Sight.UNKNOWABLE, True)


def test_a_hash_on_the_allow_list_is_never_told_to_be_banned(rig):
    action = rig.action("ban_hash")
    rig.simulation.world.tenant("acme").iocs[action.hash.sha256] = {"id": action.hash.sha256, "list": "allow"}
    receipt = rig.adapter.perform(action, rig.adapter.observe(action, None))
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "see that it is not allowed" in fact.evidence) == (Sight.UNKNOWABLE, True)


def test_a_hash_left_out_of_the_answer_is_no_ban(rig):
    says(rig, BLOCK, {"added_hashes": [], "excluded_hashes": []})
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("ban_hash"), None)
    rig.simulation.faults.clear()
    says(rig, BLOCK, {"added_hashes": [], "excluded_hashes": [rig.action("ban_hash").hash.sha256]})
    assert rig.adapter.perform(rig.action("ban_hash"), None).detail == {"answer": "listed"}


def test_any_other_500_of_a_ban_is_no_receipt(rig):
    says(rig, BLOCK, an_error("database is away"), status=500)
    with pytest.raises(VendorFault):
        rig.adapter.perform(rig.action("ban_hash"), None)


def test_a_block_list_that_can_be_read_is_read_back():
    route = f"{V1}/hash_exceptions/blocklist/get"
    with cortex_xdr(config={"blocklist_route": route}, blocklist_route=route) as rig:
        action = rig.action("ban_hash")
        assert rig.adapter.observe(action, None).sight is Sight.ABSENT
        rig.adapter.perform(action, None)
        assert rig.adapter.observe(action, None).sight is Sight.PRESENT
        rig.simulation.world.tenant("acme").iocs[action.hash.sha256]["list"] = "allow"
        assert rig.adapter.observe(action, None).sight is Sight.ABSENT


def test_a_block_list_route_that_the_tenant_has_not_is_an_error_and_no_ban():
    with cortex_xdr(config={"blocklist_route": f"{V1}/hash_exceptions/blocklist/get"}) as rig, pytest.raises(Denied, match="404"):
        rig.adapter.observe(rig.action("ban_hash"), None)


def test_other_hashes_are_refused_before_any_request(rig):
    action = rig.action("ban_hash").model_copy(update={"hash": FileHash(md5="a" * 32, sha1="b" * 40)})
    with pytest.raises(Unsupported, match="sha256"):
        rig.adapter.perform(action, None)
    assert rig.simulation.journal.requests() == []


def test_a_domain_ban_is_not_claimed():
    cells = {(cell.verb, cell.means) for cell in CortexXDR.capabilities()}
    assert cells == {(verb, Means.SHELL if verb in SHELL else Means.NATIVE) for verb in ACTIONS if not verb.endswith("ban_domain")}


def test_a_file_without_its_hash_is_not_quarantined(rig):
    action = rig.action("quarantine_file").model_copy(update={"file": File(path=EVIL)})
    with pytest.raises(Unsupported, match="sha256"):
        rig.adapter.observe(action, None)
    assert rig.simulation.journal.requests() == []


def test_another_file_at_the_path_is_not_quarantined(rig):
    action = rig.action("quarantine_file").model_copy(update={"file": File(path=EVIL, sha256=sha256("other"))})
    receipt = rig.adapter.perform(action, None)
    assert rig.settled(action, receipt).sight is Sight.REFUSED
    assert rig.effects() == []
