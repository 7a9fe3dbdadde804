"""A Defender tenant with one customer, new for each test."""

from __future__ import annotations

import pytest

from tests.edr.rigs.defender import defender


@pytest.fixture
def rig():
    with defender() as found:
        yield found
