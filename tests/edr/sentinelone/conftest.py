"""A SentinelOne console with one customer, new for each test."""

from __future__ import annotations

import pytest

from tests.edr.rigs.sentinelone import sentinelone


@pytest.fixture
def rig():
    with sentinelone() as found:
        yield found
