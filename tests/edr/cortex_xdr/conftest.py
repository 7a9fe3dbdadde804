"""A Cortex XDR tenant with one customer, new for each test."""

from __future__ import annotations

import pytest

from tests.edr.rigs.cortex_xdr import cortex_xdr


@pytest.fixture
def rig():
    with cortex_xdr() as found:
        yield found
