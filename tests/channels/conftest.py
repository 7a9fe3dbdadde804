"""One world of inboxes for all tests of channels, empty when a test begins."""

from __future__ import annotations

import pytest

from ar_workers.simulator import Simulation

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
