"""What tests of channels share: one world of inboxes, empty when a test begins, what was dialled, and an authority of our own."""

from __future__ import annotations

import ssl

import pytest
import trustme

from ar_workers.simulator import Simulation

from .dialled import DIALLED
from .posting import NAME
from .rigs import RIGS, a_world


@pytest.fixture(scope="session")
def inboxes():
    with Simulation(a_world()) as found:
        yield found


@pytest.fixture
def simulation(inboxes):
    inboxes.faults.clear()
    inboxes.journal._entries.clear()
    return inboxes


@pytest.fixture(params=sorted(RIGS))
def rig(request, simulation):
    return RIGS[request.param](simulation)


@pytest.fixture
def connects():
    """Every address that anything in this process dialled during the test."""
    DIALLED.clear()
    return DIALLED


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    ca, path = trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


@pytest.fixture(scope="module")
def tls(authority):
    ca, _ = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(NAME, "127.0.0.1").configure_cert(context)
    return context
