from __future__ import annotations

import pytest

from tests.simulator.worlds import DEVICES


@pytest.mark.parametrize("limit", ["²", "-1", "1.0", ""])
def test_a_parameter_that_is_no_number_is_refused_in_the_vendors_words(acme, limit):
    answer = acme.call("GET", DEVICES, limit=limit)
    assert (answer.status, answer.body["errors"][0]["message"]) == (400, "limit must be between 1 and 5000")
