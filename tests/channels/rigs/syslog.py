"""Syslog over TLS, and over TCP."""

from __future__ import annotations

from ar_workers.channels import syslog
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from ar_workers.simulator.inboxes.syslog import parsed
from tests.builders import NOON, a_delivery

from .base import Kit, Rig, is_clean


def a_syslog(simulation, **more):
    transport = more.get("transport", "tls")
    defaults = {
        "host": "127.0.0.1",
        "port": simulation.inboxes["syslog"].ports[transport],
        "ca_file": simulation.ca_pem,
        "timeout": 1,
        **more,
    }
    channel = syslog.Syslog(syslog.Config(**defaults), now=lambda: NOON, is_allowed=lambda address: address.is_loopback)
    return Rig(channel, simulation, "syslog", a_delivery("syslog"))


def a_syslog_over_tcp(simulation):
    return a_syslog(simulation, transport="tcp", framing="lf", body="cef")


def _syslog(channel, note):
    raw = channel.render(note, "acme:syslog:1")
    assert len(raw) <= 8192
    message = parsed(raw)
    assert is_clean(raw.decode())
    if note.threat:
        assert note.threat.url in str(message).replace("\\\\", "\\")


KIT = Kit(
    inbox="syslog",
    rigs={"syslog": a_syslog, "syslog tcp": a_syslog_over_tcp},
    outcomes=(
        ("syslog", Fault(action="reset_before"), Answer.UNKNOWN),
        ("syslog", Fault(action="reset_after"), Answer.UNKNOWN),
        ("syslog tcp", Fault(action="reset_before"), Answer.UNKNOWN),
        ("syslog tcp", Fault(action="hang_after", seconds=0.1), Answer.UNKNOWN),
    ),
    judge=_syslog,
)
