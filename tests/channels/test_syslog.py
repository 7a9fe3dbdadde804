"""Syslog: messages that parse back, in frames that hold, to addresses that may be dialled."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest
import trustme
from hypothesis import given, settings
from pydantic import ValidationError

from ar_workers.channels import syslog
from ar_workers.domain.results import Answer
from ar_workers.domain.threats import Severity
from ar_workers.simulator.inboxes.syslog import parsed
from tests.builders import NOON, a_delivery, a_notification, a_threat

from .hostile import TEXT, a_hostile_notification
from .rigs.syslog import a_syslog

URL = "https://acme.ar.example/threats/1042"


def a_channel(**config):
    return syslog.Syslog(syslog.Config(host="siem.example", **config), now=lambda: NOON)


def read(note, **config):
    return parsed(a_channel(**config).render(note, "acme:syslog:1"))


def cef(message):
    """A reader of CEF of our own: the header's eight parts, and the extension as a dict."""
    *header, extension = re.split(r"(?<!\\)(?:\\\\)*\|", message, maxsplit=7)
    found = re.findall(r"(\w+)=((?:\\.|[^=\\])*?)(?= \w+=|$)", extension)
    return header, {name: re.sub(r"\\([\\=])", r"\1", value) for name, value in found}


@pytest.mark.parametrize("body", ["plain", "cef", "ecs"])
@settings(max_examples=60, deadline=None)
@given(headline=TEXT, value=TEXT, text=TEXT)
def test_a_datagram_is_small_and_parses_back_whole_in_what_matters(body, headline, value, text):
    note = a_hostile_notification(headline, value[:250], text)
    raw = a_channel(body=body, transport="udp").render(note, "acme:syslog:1")
    assert len(raw) <= 2048
    message = parsed(raw)
    assert message["data"]["ar@32473"] == {"id": "acme:syslog:1", "customer": "acme", "threat": "THREAT-1042"}
    shown = dict(syslog.essentials(note))
    if body == "plain":
        assert message["message"].startswith(f"Severity: HIGH; Classification: {shown['Classification']}; Threat: {URL}; ")
    elif body == "ecs":
        document = json.loads(message["message"])
        assert (document["labels"]["severity"], document["event"]["url"]) == ("HIGH", URL)
        assert document["labels"]["classification"] == shown["Classification"]
    else:
        header, fields = cef(message["message"])
        assert (len(header), header[0], header[6]) == (7, "CEF:0", "9")
        assert (fields["cs1"], fields["request"], fields["cat"]) == ("HIGH", URL, shown["Classification"])


@pytest.mark.parametrize("body", ["plain", "cef", "ecs"])
def test_an_essential_is_never_cut_however_long(body):
    note = a_notification(threat=a_threat(classification="😀" * 500), body="x" * 20_000, headline="h" * 500)
    assert "😀" * 500 in read(note, body=body, transport="udp")["message"]


def test_a_stream_takes_more_than_a_datagram_and_says_what_is_left_out():
    note = a_notification(facts=tuple((f"Endpoint {number}", "x" * 200) for number in range(100)))
    long, short = (a_channel(transport=transport).render(note, "1") for transport in ("tls", "udp"))
    assert len(short) <= 2048 < len(long) <= 8192
    assert re.search(rb"\.\.\. \(\d+ more, see the threat\)", short)


def test_the_header_is_as_rfc_5424_draws_it():
    raw = a_channel().render(a_notification(), "acme:syslog:1")
    assert raw.startswith(
        b"<106>1 2026-11-24T12:00:00.000Z - active-remediation - threat_published "
        b'[ar@32473 id="acme:syslog:1" customer="acme" threat="THREAT-1042"] Severity: HIGH; '
    )


@pytest.mark.parametrize(("severity", "number", "grade"), [(Severity.HIGH, 2, 9), (Severity.MEDIUM, 4, 6), (Severity.LOW, 5, 3)])
def test_severity_and_facility_stand_in_the_priority(severity, number, grade):
    note = a_notification(threat=a_threat(severity=severity))
    message = read(note, facility=20, body="ecs")
    assert (message["facility"], message["severity"]) == (20, number)
    assert json.loads(message["message"])["event"]["severity"] == grade


@pytest.mark.parametrize("body", ["plain", "cef", "ecs"])
def test_what_is_about_no_threat_is_informational(body):
    message = read(a_notification(threat=None, headline="Unsupported OS"), body=body)
    assert (message["severity"], "threat" in message["data"]["ar@32473"]) == (6, False)
    assert "Unsupported OS" in message["message"]


def test_param_values_are_escaped_where_they_must_be_and_nowhere_else():
    assert syslog.param_value('a"b\\c]d[e=\nf') == 'a\\"b\\\\c\\]d[e= f'


def test_cef_is_escaped_by_place():
    assert syslog.cef_header("a|b\\c=d") == "a\\|b\\\\c=d"
    assert syslog.cef_value("a|b\\c=d") == "a|b\\\\c\\=d"


def test_a_byte_order_mark_is_there_for_those_who_want_it():
    assert "\ufeffSeverity" in a_channel(bom=True).render(a_notification(), "1").decode()
    assert "\ufeff" not in a_channel().render(a_notification(), "1").decode()


def test_octets_are_counted_in_bytes():
    assert syslog.framed("é".encode(), "octet") == b"2 \xc3\xa9"


@pytest.mark.parametrize(
    "form",
    [{"transport": transport, "framing": framing} for transport in ("tcp", "tls") for framing in ("octet", "lf")] + [{"transport": "udp"}],
    ids=str,
)
def test_every_form_arrives_and_none_is_called_delivered(simulation, form):
    rig = a_syslog(simulation, **form)
    result = rig.channel.send(rig.delivery, "acme:syslog:1")
    assert (result.answer, result.code) == (Answer.ACCEPTED, "sent, unconfirmed")
    (message,) = rig.messages()
    assert message["body"]["data"]["ar@32473"]["id"] == "acme:syslog:1"
    assert rig.requests()[0]["fault"] is None


def test_a_receiver_that_never_says_goodbye_is_no_reason_to_doubt(simulation):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        rig = a_syslog(simulation, transport="tcp", port=mute.getsockname()[1])
        assert rig.channel.send(rig.delivery, "1").code == "sent, unconfirmed"


def test_tls_ends_with_a_close_notify(simulation, tmp_path):
    authority, context, ended = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def serve(listener, tls):
        with tls.wrap_socket(listener.accept()[0], server_side=True, suppress_ragged_eofs=False) as connection:
            while connection.recv(65536):
                pass
            ended.append("close_notify")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, context))
        thread.start()
        rig = a_syslog(simulation, port=listener.getsockname()[1], ca_file=tmp_path / "ca.pem")
        assert rig.channel.send(rig.delivery, "1").answer is Answer.ACCEPTED
        thread.join(10)
    assert ended == ["close_notify"]


def test_an_unknown_certificate_is_not_trusted(simulation):
    rig = a_syslog(simulation, ca_file=None)
    assert rig.channel.send(rig.delivery, "1").answer is Answer.RETRY
    assert simulation.journal.messages() == []


def test_a_certificate_is_checked_for_the_name_and_not_for_the_address(simulation):
    config = syslog.Config(port=simulation.inboxes["syslog"].ports["tls"], ca_file=simulation.ca_pem)
    channel = syslog.Syslog(config, resolve=lambda *_: ["127.0.0.1"], is_allowed=lambda _: True)
    answers = [channel.send(a_delivery("syslog", name), "1").answer for name in ("localhost", "siem.example")]
    assert answers == [Answer.ACCEPTED, Answer.RETRY]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["8.8.8.8", "10.0.0.1"], []]
)
def test_only_public_addresses_are_dialled_unless_somebody_allows_more(simulation, addresses):
    channel = syslog.Syslog(
        syslog.Config(host="siem.example", port=simulation.inboxes["syslog"].ports["tcp"], transport="tcp"), resolve=lambda *_: addresses
    )
    result = channel.send(a_delivery("syslog"), "1")
    assert (result.answer, result.code) == (Answer.PERMANENT, "address_refused")
    assert simulation.journal.requests() == []


def test_a_name_without_an_address_may_have_one_later():
    def nowhere(*_):
        raise socket.gaierror(-2, "unknown")

    channel = syslog.Syslog(syslog.Config(host="siem.example"), resolve=nowhere)
    assert channel.send(a_delivery("syslog"), "1").answer is Answer.RETRY


def test_a_customer_names_a_host_and_may_name_a_port(simulation):
    config = syslog.Config(port=simulation.inboxes["syslog"].ports["tcp"], transport="tcp")
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return ["127.0.0.1"]

    channel = syslog.Syslog(config, resolve=resolve, is_allowed=lambda _: True)
    for address in ("siem.acme.example", f"siem.acme.example:{simulation.inboxes['syslog'].ports['tcp']}", "[2001:db8::1]:7"):
        channel.send(a_delivery("syslog", address), "1")
    assert asked == [("siem.acme.example", config.port), ("siem.acme.example", config.port), ("2001:db8::1", 7)]


@pytest.mark.parametrize(
    "address", ["tre", "siem.example:port", "siem.example:70000", "user@siem.example", "siem.example/path", "siem.example:514?x"]
)
def test_what_is_no_host_is_refused_for_good(address):
    channel = syslog.Syslog(syslog.Config())
    assert channel.send(a_delivery("syslog", address), "1").answer is Answer.PERMANENT


@pytest.mark.parametrize("wrong", [{"facility": 24}, {"hostname": "a b"}, {"sd_id": "ar"}, {"transport": "quic"}, {"port": 0}])
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        syslog.Config(host="siem.example", **wrong)


def test_a_local_clock_is_written_in_utc():
    from datetime import timedelta, timezone

    late = datetime(2026, 11, 24, 14, tzinfo=timezone(timedelta(hours=2)))
    channel = syslog.Syslog(syslog.Config(host="x"), now=lambda: late)
    assert parsed(channel.render(a_notification(), "1"))["timestamp"] == NOON.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
