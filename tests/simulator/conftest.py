from __future__ import annotations

import pytest

from tests.simulator.worlds import falcon


@pytest.fixture
def acme():
    with falcon(polls_until_complete=0) as caller:
        yield caller
