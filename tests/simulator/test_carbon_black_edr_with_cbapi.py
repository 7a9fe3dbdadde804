"""The twin speaks Carbon Black EDR: proved with the vendor's own client, which insists on TLS."""

from __future__ import annotations

import ssl

import pytest
import trustme
from cbapi.errors import ClientError, ObjectNotFoundError, UnauthorizedError
from cbapi.live_response_api import LiveResponseError
from cbapi.response import Alert, BannedHash, CbResponseAPI, Process, Sensor, SensorGroup

from ar_workers.domain.errors import NotSent
from ar_workers.edr.carbon_black_edr import CarbonBlackEDR, Config
from ar_workers.simulator.carbon_black_edr import CarbonBlackEDRTwin
from ar_workers.simulator.clock import VirtualClock
from ar_workers.simulator.journal import Journal
from ar_workers.simulator.server import Server
from tests.builders import EVIL, hash_of
from tests.edr.rigs.carbon_black_edr import a_world

MD5 = hash_of("md5", "evil")
GUID = "00000007-0000-1267-01d2-2461a85e4546"
T1, T2 = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"


class Site:
    """A twin behind a certificate of an authority that nobody knows, as customers' servers are."""

    def __init__(self, folder, **options):
        self.clients = []
        self.world = a_world(**{"strict": False, **options})
        self.world.clock = self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.server = Server(CarbonBlackEDRTwin(self.world, self.clock, self.journal), journal=self.journal, tls=tls)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        for each in self.clients:
            each.session.session.close()
        self.server.stop()

    def client(self, token="canary-secret"):
        self.clients.append(CbResponseAPI(url=self.server.url, token=token, ssl_cert_file=str(self.ca_file), timeout=5))
        return self.clients[-1]

    def endpoint(self):
        return self.world.endpoint("acme", "7")

    def effects(self):
        return [(one["verb"], one["target"], one["changed"]) for one in self.journal.effects()]


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path, facts={"processes": {GUID: {"id": GUID, "process_pid": 4711, "sensor_id": 7, "start": T1}}}) as found:
        found.endpoint().check_in_delay = 0.0
        yield found


@pytest.fixture
def cb(site):
    return site.client()


def test_it_connects_and_reads_what_the_server_is(cb):
    assert str(cb.cb_server_version) == "7.8.1.220913.1158"
    assert cb.server_info["cblrEnabled"] is True


def test_a_wrong_token_is_refused(site):
    with pytest.raises(UnauthorizedError):
        site.client(token="nonsense")


def test_sensors_are_found_by_a_part_of_the_name_in_its_own_case(cb):
    assert {each.id for each in cb.select(Sensor).where("hostname:N")} == {7, 70}
    assert [each.id for each in cb.select(Sensor).where("hostname:FIN")] == [7]
    assert list(cb.select(Sensor).where("hostname:fin")) == []


def test_a_sensor_tells_of_itself_and_its_group(cb):
    sensor = cb.select(Sensor, 7)
    assert (sensor.hostname, sensor.status, sensor.os) == ("FIN-LT-07", "Online", "Windows 10 Enterprise, 64-bit")
    assert sensor.network_interfaces[0].ipaddr == "10.0.0.10"
    assert sensor.group.name == "Remediate"
    assert {each.name for each in cb.select(SensorGroup)} == {"Remediate", "remediate"}
    assert {each.id for each in cb.select(SensorGroup, 1).sensors} == {7, 70}


def test_an_unknown_sensor_is_not_found(cb):
    with pytest.raises(ObjectNotFoundError):
        _ = cb.select(Sensor, 700).hostname


@pytest.mark.parametrize("answer", [200, 204])
def test_a_sensor_is_isolated_and_released(tmp_path, answer):
    with Site(tmp_path, put_answer=answer) as site:
        site.endpoint().check_in_delay = 0.0
        sensor = site.client().select(Sensor, 7)
        assert sensor.isolate(timeout=5)
        assert site.endpoint().status == "contained"
        assert sensor.unisolate(timeout=5)
        assert site.effects() == [("isolate", "7", True), ("release", "7", True)]


def test_a_whole_sensor_is_refused(cb):
    row = cb.get_object("/api/v1/sensor/7")
    with pytest.raises(ClientError, match="Not allowed"):
        cb.put_object("/api/v1/sensor/7", {**row, "network_isolation_enabled": True})


def test_a_hash_is_banned_once_lifted_and_banned_again(site, cb):
    banned = cb.create(BannedHash, {"md5hash": MD5, "text": "evil", "enabled": True})
    banned.save()
    with pytest.raises(ClientError) as raised:
        cb.post_object("/api/v1/banning/blacklist", {"md5hash": MD5, "text": "again"})
    assert raised.value.error_code == 409
    assert [each.md5hash for each in cb.select(BannedHash)] == [MD5]
    banned.enabled = False
    banned.save()
    assert site.world.tenant("acme").iocs[MD5]["enabled"] is False
    banned.enabled = True
    banned.save()
    assert [verb for verb, _, changed in site.effects() if changed] == ["ban_hash", "unban_hash", "ban_hash"]


def test_lifting_a_ban_that_is_none_conflicts(cb):
    with pytest.raises(ClientError, match="does not exist") as raised:
        cb.delete_object(f"/api/v1/banning/blacklist/{MD5}")
    assert raised.value.error_code == 409


def test_live_response_lists_kills_deletes_and_fetches(site, cb):
    with cb.select(Sensor, 7).lr_session() as session:
        assert {4711} < {each["pid"] for each in session.list_processes()}
        assert session.kill_process(4711)
        assert [each["filename"] for each in session.list_directory(EVIL.rpartition("\\")[0] + "\\")] == [".", "..", "evil.exe"]
        assert session.get_file(EVIL) == EVIL.encode()
        session.delete_file(EVIL)
        assert session.list_registry_keys(r"HKLM\Software\Evil")[0]["value_name"] == "a"
        assert session.get_registry_value(r"HKLM\Software\Evil\a")["value_data"] == "1"
        session.delete_registry_value(r"HKLM\Software\Evil\a")
        session.delete_registry_key(r"HKLM\Software\Evil")
    assert [verb for verb, _, _ in site.effects()] == ["kill_process", "delete_file", "delete_registry_key", "delete_registry_key"]
    assert cb.get_object("/api/v1/cblr/session?active_only=true", default=[]) == []


def test_a_second_client_meets_in_the_same_session(site, cb):
    first = cb.select(Sensor, 7).lr_session()
    assert site.client().select(Sensor, 7).lr_session().session_id == first.session_id


def test_a_process_that_is_gone_is_an_error_with_the_vendors_code(cb):
    session = cb.select(Sensor, 7).lr_session()
    with pytest.raises(LiveResponseError) as raised:
        session.kill_process(9999)
    assert raised.value.details["result_code"] == 2147942487


def test_live_response_may_be_switched_off(tmp_path):
    with Site(tmp_path, live_response=False) as site:
        with pytest.raises(ClientError) as raised:
            site.client().get_object("/api/v1/cblr/session")
        assert raised.value.error_code == 412


def an_alert(number, at=T1, **more):
    return {"unique_id": f"a-{number}", "created_time": at, "status": "Unresolved", "alert_type": "watchlist.hit.query.process", **more}


def test_alerts_are_read_page_by_page_and_resolved(tmp_path):
    alerts = [an_alert(1, T2), an_alert(2), an_alert(3), an_alert(4, process_id=GUID), an_alert(5, status="Resolved")]
    with Site(tmp_path, alerts=alerts) as site:
        found = site.client().select(Alert).where("status:Unresolved").sort("created_time asc").batch_size(2)
        assert [each.unique_id for each in found] == ["a-2", "a-3", "a-4", "a-1"]
        found[0].change_status("Resolved")
        assert site.effects() == [("update_alert", "a-2", True)]
        assert site.client().select(Alert, "a-2").status == "Resolved"


def test_the_process_of_an_alert_tells_its_pid(cb):
    assert cb.select(Process, GUID).process_pid == 4711


def test_our_own_adapter_needs_the_authority_of_the_server(site):
    trusting = CarbonBlackEDR(Config(base_url=site.server.url, token="canary-secret", ca_file=site.ca_file))
    assert trusting.endpoint("7").hostname == "FIN-LT-07"
    with pytest.raises(NotSent):
        CarbonBlackEDR(Config(base_url=site.server.url, token="canary-secret")).endpoint("7")
