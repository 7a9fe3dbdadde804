"""The pretend SIEM: strict about RFC 5424, and as free about frames as RFC 6587 is."""

from __future__ import annotations

import socket
import ssl

import pytest

from ar_workers.simulator import Fault, Simulation, World
from ar_workers.simulator.inboxes.syslog import parsed

GOOD = b'<106>1 2026-11-24T12:00:00.000Z - app - id [a@1 k="v\\]\\"\\\\"] hello'


@pytest.fixture
def simulation():
    with Simulation(World.from_dict({})) as found:
        yield found


def sent(simulation, data, transport="tcp"):
    with socket.create_connection(("127.0.0.1", simulation.inboxes["syslog"].ports[transport])) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1)


def kept(simulation):
    return [each["subject"] for each in simulation.journal.messages(vendor="syslog")]


def test_a_message_is_taken_apart_and_its_values_unescaped():
    message = parsed(GOOD)
    assert (message["facility"], message["severity"], message["msgid"], message["message"]) == (13, 2, "id", "hello")
    assert message["data"] == {"a@1": {"k": 'v]"\\'}}
    assert parsed(b"<0>1 - - - - - - \xef\xbb\xbfhi")["message"] == "hi"
    assert parsed(b"<0>1 - - - - - -")["message"] == ""


@pytest.mark.parametrize(
    "wrong",
    [
        b"<13>Nov 24 12:00:00 host app: RFC 3164",
        b"<192>1 - - - - - - x",
        b"<013>1 - - - - - - x",
        b"<13>1 yesterday - - - - - x",
        b'<13>1 - - - - - [a k="v"]x',
        b'<13>1 - - - - - [a k="]"] x',
        b'<13>1 - - - - - [a k="1"][a k="2"] x',
        b"<13>1 - - - - - x",
        b"<13>1 - - - - - - two\nlines",
        b"<13>1 - - - - - - \xff",
        b"<13>1 - " + b"h" * 256 + b" - - - - x",
    ],
)
def test_what_rfc_5424_does_not_allow_is_refused(wrong):
    with pytest.raises(ValueError):
        parsed(wrong)


def test_a_stream_is_cut_by_octets_or_by_lines(simulation):
    counted = b"%d %s" % (len(GOOD), GOOD)
    assert sent(simulation, counted * 2 + GOOD + b"\n") == b""
    assert kept(simulation) == ["hello"] * 3


@pytest.mark.parametrize("data", [b"999 " + GOOD, b"1x" + GOOD, b"<13>RFC 3164\n"])
def test_what_is_malformed_is_written_down_and_not_taken(simulation, data):
    sent(simulation, data)
    assert kept(simulation) == []
    assert simulation.journal.requests(vendor="syslog")[0]["fault"].startswith("malformed")


def test_a_datagram_is_one_message(simulation):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(GOOD, ("127.0.0.1", simulation.inboxes["syslog"].ports["udp"]))
    simulation.journal.wait_for(lambda each: each["kind"] == "request")
    assert kept(simulation) == ["hello"]


def test_tls_is_verified_by_the_authority(simulation):
    trusted = ssl.create_default_context(cafile=str(simulation.ca_pem))
    address = ("127.0.0.1", simulation.inboxes["syslog"].ports["tls"])
    with socket.create_connection(address) as raw, trusted.wrap_socket(raw, server_hostname="127.0.0.1") as sealed:
        sealed.sendall(GOOD + b"\n")
        simulation.journal.wait_for(lambda each: each["kind"] == "message")
    assert kept(simulation) == ["hello"]


@pytest.mark.parametrize(("action", "taken"), [("reset_before", []), ("reset_after", ["hello"])])
def test_a_fault_breaks_the_connection_before_or_after_a_message_is_taken(simulation, action, taken):
    simulation.faults.add(Fault(action=action, vendor="syslog", method="TCP"))
    with pytest.raises(OSError):
        sent(simulation, GOOD + b"\n")
    assert kept(simulation) == taken
