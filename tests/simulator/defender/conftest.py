"""A Defender tenant, new for each test."""

from __future__ import annotations

import pytest

from tests.simulator.defender.building import tenant


@pytest.fixture
def acme():
    with tenant() as caller:
        yield caller
