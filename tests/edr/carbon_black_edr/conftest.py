"""A Carbon Black EDR server with one customer, new for each test."""

from __future__ import annotations

import pytest

from tests.edr.rigs.carbon_black_edr import carbon_black_edr


@pytest.fixture
def rig():
    with carbon_black_edr() as found:
        yield found
