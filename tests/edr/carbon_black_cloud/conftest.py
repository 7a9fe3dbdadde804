"""A Carbon Black Cloud organisation with one customer, new for each test."""

from __future__ import annotations

import pytest

from tests.edr.rigs.carbon_black_cloud import carbon_black_cloud


@pytest.fixture
def rig():
    with carbon_black_cloud() as found:
        yield found
