"""The twin speaks Cortex XDR: proved with a client that others keep, which insists on TLS and on the vendor's form of names."""

from __future__ import annotations

import ssl

import pytest
import requests
import trustme
from cortex_xdr_client.api.authentication import Authentication, AuthenticationType
from cortex_xdr_client.api.models.endpoints import IsolateStatus
from cortex_xdr_client.client import CortexXDRClient

from ar_workers.domain.endpoints import OS
from ar_workers.simulator.clock import VirtualClock
from ar_workers.simulator.cortex_xdr import CortexTwin
from ar_workers.simulator.journal import Journal
from ar_workers.simulator.server import Server
from ar_workers.simulator.world import World
from tests.builders import EVIL, agent_id, sha256
from tests.edr.rigs.base import FIRST, fleet
from tests.simulator.tunnel import tunnel_to

FQDN = "acme.xdr.us.example"
AID = agent_id(FIRST)


class Site:
    """A tenant at the vendor's form of a name, which is reached through a proxy as its certificate has it."""

    def __init__(self, folder, *, level="advanced", alerts=(), **options):
        tenant = {
            "vendor": "cortex_xdr",
            "credentials": [{"client_id": "7", "client_secret": "hush"}],
            "groups": [{"id": "g1", "name": "Remediate"}],
            "endpoints": fleet(OS.WINDOWS, agent_id, "g1"),
            "alerts": list(alerts),
            "facts": {"security_level": level},
        }
        self.world = World.from_dict({"tenants": {"acme": tenant}, "options": {"cortex_xdr": {"order_takes": 0.0, **options}}})
        self.world.clock = self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(f"api-{FQDN}").configure_cert(tls)
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.server = Server(CortexTwin(self.world, self.clock, self.journal), journal=self.journal, tls=tls)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def status(self):
        return self.world.endpoint("acme", AID).status

    def effects(self):
        return [(each["verb"], each["target"]) for each in self.journal.effects() if each["changed"]]


@pytest.fixture
def connect(tmp_path, monkeypatch):
    """Clients that know their site by the settings of every such program: a proxy and a file of authorities."""
    with Site(tmp_path, action_ids="text") as site, tunnel_to(site.server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(site.ca_file))

        def client(key="hush", kind=AuthenticationType.ADVANCED):
            return CortexXDRClient(Authentication(key, 7, kind), FQDN, default_timeout=(5, 5))

        client.site, client.proxy = site, proxy
        yield client


@pytest.fixture
def site(connect):
    return connect.site


@pytest.fixture
def xdr(connect):
    return connect()


def test_it_is_let_in_under_the_tenants_own_name(connect, xdr):
    assert xdr.system_api.healthcheck() == {"status": "available"}
    assert connect.proxy.asked == [f"api-{FQDN}:443"]


@pytest.mark.parametrize("wrong", [{"key": "other"}, {"kind": AuthenticationType.STANDARD}])
def test_a_wrong_key_and_a_wrong_kind_of_key_are_refused(connect, wrong):
    with pytest.raises(requests.HTTPError, match="401"):
        connect(**wrong).endpoints_api.get_all_endpoints()


def test_endpoints_are_listed_and_found(xdr):
    assert {each.agent_id for each in xdr.endpoints_api.get_all_endpoints().reply} == {AID, agent_id("NEIGHBOUR")}
    found = xdr.endpoints_api.get_endpoint(hostname=[FIRST], group_name=["Remediate"], ip_list=["10.0.0.10"], search_from=0, search_to=5)
    assert [(each.endpoint_id, each.is_isolated) for each in found.reply.endpoints] == [(AID, IsolateStatus.unisolated)]
    assert xdr.endpoints_api.get_endpoint(isolate=[IsolateStatus.isolated]).reply.endpoints == []


def test_an_endpoint_is_isolated_and_released(site, xdr):
    order = xdr.endpoints_api.isolate_endpoints([AID]).reply
    assert (order.endpoints_count, site.status()) == (1, "containment_pending")
    asked = xdr.actions_api.get_action_status(int(order.action_id)).reply.data.root
    assert asked == {AID: "IN_PROGRESS"}
    site.clock.advance(61)
    assert xdr.actions_api.get_action_status(int(order.action_id)).reply.data.root == {AID: "COMPLETED_SUCCESSFULLY"}
    (shown,) = xdr.endpoints_api.get_endpoint(endpoint_id_list=[AID]).reply.endpoints
    assert shown.is_isolated == IsolateStatus.isolated
    xdr.endpoints_api.unisolate_endpoints([AID])
    assert site.effects() == [("isolate", AID), ("release", AID)]


def test_a_hash_is_blocked_once_and_taken_off_again(site, xdr):
    hashes = xdr.hash_exceptions_api
    assert hashes.blocklist(hash_list=["a" * 64], comment="evil") == {"reply": True}
    with pytest.raises(requests.HTTPError, match="500"):
        hashes.blocklist(hash_list=["a" * 64])
    body = {"request_data": {"hash_list": ["a" * 64]}}
    assert hashes.request("/public_api/v1/hash_exceptions/blocklist/remove", json_value=body).json() == {"reply": True}
    assert site.effects() == [("ban_hash", "a" * 64), ("unban_hash", "a" * 64)]


def test_a_file_is_quarantined_and_seen_there(site, xdr):
    xdr.endpoints_api.quarantine_file(endpoint_id_list=[AID], file_path=EVIL, file_hash=sha256(EVIL))
    body = {"endpoint_id": AID, "file_path": EVIL, "file_hash": sha256(EVIL)}
    assert xdr.quarantine_api.status(files=[body])["reply"] == [{**body, "status": True}]
    assert site.effects() == [("quarantine_file", EVIL)]


def test_a_script_is_found_and_described(xdr):
    (found,) = xdr.scripts_api.get_scripts(name=["delete_file"]).scripts
    assert xdr.scripts_api.get_script_metadata_request(script_uid=found.script_uid)["reply"]["script_inputs"][0]["name"] == "file_path"


def an_alert(number, at, **more):
    times = {"detection_timestamp": at, "local_insert_ts": at + 5}
    return {"alert_id": str(number), "severity": "high", "source": "XDR Agent", "description": "d", "events": [{}], **times, **more}


def test_alerts_are_listed_by_their_creation(site, xdr):
    for number, at in ((1, 300), (2, 100), (3, 200)):
        site.world.tenant("acme").add_alert(an_alert(number, at))
    order = {"field": "creation_time", "keyword": "asc"}
    found = xdr.alerts_api.get_alerts(server_creation_time=205, after_server_creation=True, alert_source_list=["XDR Agent"], sort=order)
    assert [each.alert_id for each in found.reply.alerts] == ["3", "1"]
    assert [each.alert_id for each in xdr.alerts_api.get_alerts(alert_id_list=[2]).reply.alerts] == ["2"]
    listed = xdr.alerts_api.get_alerts_request(sort=order)["reply"]["alerts"]
    assert [each["alert_id"] for each in listed] == ["2", "3", "1"]
