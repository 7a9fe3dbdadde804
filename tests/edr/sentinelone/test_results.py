"""What a RemoteOps script printed: where it is fetched from, how it is read, and what it proves."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.errors import Denied, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.edr.sentinelone import Config
from ar_workers.edr.sentinelone.results import _lines, printed
from ar_workers.simulator import Fault
from tests.edr.rigs.sentinelone import sentinelone
from tests.edr.sentinelone.building import answer_with, performed


def test_a_completed_script_that_ended_in_an_error_did_nothing():
    with sentinelone(script_fails="with_error") as rig:
        action, receipt = performed(rig, "kill_process")
        fact = rig.settled(action, receipt)
        assert (fact.sight, "exit code: 1" in fact.evidence) == (Sight.REFUSED, True)


def test_a_completed_script_that_printed_nothing_proves_nothing():
    with sentinelone(script_fails="without_output") as rig:
        action, receipt = performed(rig, "delete_file")
        assert rig.settled(action, receipt).sight is Sight.REFUSED


@pytest.mark.parametrize("form", ["zip", "text"])
def test_the_output_is_read_whether_packed_or_plain(form):
    with sentinelone(results_as=form) as rig:
        action, receipt = performed(rig, "delete_file")
        assert rig.settled(action, receipt).evidence == "the script says done: deleted"


def test_an_output_that_is_not_there_yet_is_waited_for(rig):
    action, receipt = performed(rig, "kill_process")
    answer_with(rig, "remote-scripts/fetch-files", {"data": {"download_links": [], "errors": [{"errorString": "later"}]}})
    assert rig.settled(action, receipt, looks=3).sight is Sight.PENDING


def test_a_link_that_has_expired_is_asked_for_again(rig):
    action, receipt = performed(rig, "kill_process")
    rig.simulation.faults.add(Fault(action="reply", status=403, path="/script-results/*", times=1))
    rig.simulation.clock.advance(90)
    fact = rig.adapter.observe(action, receipt)
    assert (fact.sight, "/script-results/" in fact.evidence) == (Sight.PENDING, False)
    assert rig.adapter.observe(action, receipt).sight is Sight.PRESENT


def test_the_output_of_another_order_is_no_proof(rig):
    action, receipt = performed(rig, "kill_process")
    other = receipt.model_copy(update={"detail": {"order": "another"}})
    assert rig.settled(action, other).sight is Sight.REFUSED


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://s3.amazonaws.com/x", "https://amazonaws.com.evil.example/x", "file:///etc/passwd"]
)
def test_output_is_fetched_from_nowhere_unexpected(url):
    config = Config(base_url="https://acme.sentinelone.net", api_token="x", scope="tenant")
    with pytest.raises(Denied, match="result_hosts"):
        printed(url, "order", config)


def test_output_of_powershell_is_read():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("out.txt", '\ufeff{"ar_workers":"o"}\r\n'.encode("utf-16-le"))
    assert list(_lines(packed.getvalue())) == [{"ar_workers": "o"}]


@given(st.binary(max_size=200))
def test_no_output_raises(raw):
    list(_lines(raw))


def a_zip(text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stdout.txt", text)
    return packed.getvalue()


@given(place=st.integers(min_value=0, max_value=150), byte=st.integers(min_value=0, max_value=255))
def test_a_damaged_archive_is_a_fault_or_no_line(place, byte):
    raw = bytearray(a_zip('{"ar_workers":"o"}' * 20))
    raw[place % len(raw)] = byte
    with contextlib.suppress(VendorFault):
        list(_lines(bytes(raw)))
