"""The twin speaks Carbon Black Cloud: proved with the vendor's own client, which insists on TLS."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime

import pytest
import trustme

from ar_workers.simulator import Simulation, World
from ar_workers.simulator.carbon_black_cloud import CarbonBlackCloudTwin
from ar_workers.simulator.clock import iso
from ar_workers.simulator.server import Server
from tests.simulator.carbon_black import EVIL, KEY, MAC, ORG, PC, a_tenant

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it leaves its own model files open while it is imported
    from cbc_sdk import CBCloudAPI
    from cbc_sdk.errors import ApiError, ClientError, ObjectNotFoundError, UnauthorizedError
    from cbc_sdk.live_response_api import LiveResponseError
    from cbc_sdk.platform import Alert, AssetGroup, Device, ReputationOverride


@pytest.fixture
def simulation():
    options = {"polls_until_complete": 0, "session_delay": 0}
    with Simulation(World.from_dict({"tenants": {"acme": a_tenant()}, "options": {"carbon_black_cloud": options}})) as found:
        yield found


@pytest.fixture
def server(simulation, tmp_path):
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    twin = CarbonBlackCloudTwin(simulation.world, simulation.clock, simulation.journal)
    found = Server(twin, journal=simulation.journal, tls=context)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def connect(server, tmp_path):
    """Clients whose connections end with the test."""
    opened = []

    def client(token=KEY, org=ORG):
        found = CBCloudAPI(url=server.url, token=token, org_key=org, ssl_cert_file=str(tmp_path / "ca.pem"), timeout=5, max_retries=0)
        opened.append(found)
        return found

    yield client
    for each in opened:
        each.session.session.close()


@pytest.fixture
def api(connect):
    return connect()


@pytest.mark.parametrize(("token", "org", "error"), [("KEYID/hush", ORG, UnauthorizedError), (KEY, "OTHER123", ClientError)])
def test_a_wrong_key_or_organisation_is_refused(connect, token, org, error):
    with pytest.raises(error):
        connect(token, org).select(Device, int(PC)).refresh()


def test_devices_are_found_read_and_scrolled(api):
    assert {each.name for each in api.select(Device).where("PC-1")} == {"PC-1", "PC-10"}
    assert [each.id for each in api.select(Device).set_os(["MAC"])] == [int(MAC)]
    assert len(api.select(Device).scroll(1)) == 1
    assert api.select(Device, int(PC)).os == "WINDOWS"
    with pytest.raises(ObjectNotFoundError):
        api.select(Device, 999)


def test_a_device_is_quarantined_at_its_next_contact(simulation, api):
    device = api.select(Device, int(PC))
    assert device.quarantine(True) is None
    device.refresh()
    assert device.quarantined is False
    simulation.clock.advance(6)
    device.refresh()
    assert device.quarantined is True
    device.quarantine(False)
    assert [(each["verb"], each["target"]) for each in simulation.journal.effects()] == [("isolate", PC), ("release", PC)]


def test_asset_groups_and_their_members(api):
    assert [each.name for each in AssetGroup.get_all_groups(api)] == ["Remediate"]
    group = api.select(AssetGroup).add_criteria("name", ["Remediate"]).first()
    assert [each["external_member_id"] for each in group.list_member_ids()] == [int(PC)]
    assert [each.id for each in group.list_members()] == [int(PC)]


def test_overrides_are_created_found_and_deleted(simulation, api):
    body = {"description": "x", "override_list": "BLACK_LIST", "override_type": "SHA256", "sha256_hash": "a" * 64, "filename": "x.exe"}
    made = ReputationOverride.create(api, body)
    found = api.select(ReputationOverride).where("a" * 64)
    assert [each.id for each in found] == [made.id]
    for kind, ids in (("BLACK_LIST", [made.id]), ("WHITE_LIST", [])):
        listed = api.select(ReputationOverride).set_override_list(kind).set_override_type("SHA256").sort_by("create_time")
        assert [each.id for each in listed] == ids
    made.delete()
    assert simulation.world.tenant("acme").iocs == {}
    with pytest.raises(ClientError):
        ReputationOverride.create(api, body | {"override_list": "BAN"})


def test_live_response_reads_and_acts(simulation, api):
    with api.select(Device, int(PC)).lr_session() as session:
        assert [each["process_pid"] for each in session.list_processes()] == [7, 8]
        assert session.get_file(EVIL) == EVIL.encode()
        assert [each["filename"] for each in session.list_directory("C:\\Temp\\")][-1] == "evil one.exe"
        assert session.kill_process(7)
        session.delete_file(EVIL)
        assert session.list_registry_keys_and_values(r"HKLM\Software\Evil")["sub_keys"] == ["Deep"]
        assert session.get_registry_value(r"HKLM\Software\Evil\Run")["value_data"] == "evil.exe"
        session.delete_registry_value(r"HKLM\Software\Evil\Run")
        session.delete_registry_key(r"HKLM\Software\Evil\Deep")
    changed = [each["verb"] for each in simulation.journal.effects() if each["changed"]]
    assert changed == ["kill_process", "delete_file", "delete_registry_key", "delete_registry_key"]
    assert simulation.journal.requests(method="DELETE")[-1]["status"] == 204


def test_live_response_fails_in_the_vendors_codes(api):
    with api.select(Device, int(PC)).lr_session() as session:
        with pytest.raises(LiveResponseError) as raised:
            session.delete_file("C:\\nowhere")
        assert raised.value.win32_error & 0xFFFFFFFF == 0x80070002
        with pytest.raises(LiveResponseError) as raised:
            session.kill_process(9999)
        assert raised.value.win32_error & 0xFFFFFFFF == 0x80070057


def test_there_is_no_registry_command_on_a_mac(api):
    with api.select(Device, int(MAC)).lr_session() as session, pytest.raises(ApiError, match="not supported"):
        session.delete_registry_key("HKLM\\Software")


def test_alerts_are_searched_and_read(simulation, api):
    now = simulation.clock.now()
    for number, kind in enumerate(("CB_ANALYTICS", "WATCHLIST", "WATCHLIST")):
        at = iso(now - 60 + number)
        row = {"id": f"a{number}", "backend_timestamp": at, "type": kind, "severity": 3 + number, "device_id": int(PC)}
        simulation.world.tenant("acme").add_alert(row)
    start, end = (datetime.fromtimestamp(now - ago, UTC).isoformat().replace("+00:00", "Z") for ago in (600, 0))
    query = api.select(Alert).set_time_range(start=start, end=end).sort_by("backend_timestamp", "ASC")
    assert [each.id for each in query.add_criteria("type", ["WATCHLIST"])] == ["a1", "a2"]
    assert [each.id for each in api.select(Alert).set_minimum_severity(5)] == ["a2"]
    assert api.select(Alert, "a0").severity == 3
