"""When what failed is tried again: the figures, each seen at work."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.domain.errors import EndpointOffline, NotSent, OutcomeUnknown, Throttled, VendorFault
from ar_workers.domain.retries import GiveUp, after_crash, after_error, delivery_life, delivery_retry, look_again

MOST, LEAST = (lambda: 1.0), (lambda: 0.0)


def seconds(waits):
    return [wait.total_seconds() for wait in waits]


@pytest.mark.parametrize(
    ("error", "longest"),
    [
        (NotSent("reset"), [1, 2, 4, 8, 16, 30, 30]),
        (OutcomeUnknown("timeout"), [1, 2, 4, 8, 16, 30, 30]),
        (VendorFault("503"), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]),
        (EndpointOffline("away"), [30, 60, 120, 240, 480, 900, 900]),
    ],
)
def test_the_longest_wait_doubles_up_to_a_cap_and_the_shortest_is_none(error, longest):
    assert seconds(after_error(error, attempts, MOST).after for attempts in range(len(longest))) == longest
    assert seconds(after_error(error, attempts, LEAST).after for attempts in range(len(longest))) == [0] * len(longest)
    assert after_error(error, 10_000, MOST).after.total_seconds() == longest[-1]


def test_a_wait_that_the_vendor_names_is_prolonged_by_a_second_at_most():
    wished = [after_error(Throttled("429", retry_after=timedelta(seconds=90)), 7, dice).after for dice in (LEAST, MOST)]
    assert seconds(wished) == [90, 91]
    assert after_error(Throttled("429", retry_after=timedelta(days=9)), 0, LEAST).after == timedelta(hours=1)


def test_a_row_whose_workers_are_lost_waits_from_the_fourth_on_and_is_set_aside_with_the_tenth():
    assert seconds(after_crash(crashes, MOST).after for crashes in range(10)) == [0, 0, 0, 0, 2, 4, 8, 16, 32, 60]
    assert seconds(after_crash(crashes, LEAST).after for crashes in range(10)) == [0, 0, 0, 0, 1, 2, 4, 8, 16, 30]
    assert after_crash(10, MOST) == GiveUp(reason="set aside: 10 workers were lost with it in hand")


def test_an_order_is_looked_at_after_half_a_second_and_then_half_as_long_again_each_time():
    assert seconds(look_again(looks) for looks in range(4)) == [0.5, 0.75, 1.125, 1.6875]
    assert look_again(15) < timedelta(minutes=5) == look_again(16) == look_again(10_000)


def test_a_delivery_that_comes_late_is_noise_by_phone_only():
    lives = [delivery_life(channel) for channel in ("sms", "voice", "slack", "email")]
    assert lives == [timedelta(minutes=15)] * 2 + [timedelta(days=1)] * 2


def test_a_refused_delivery_waits_for_its_step_or_as_long_as_the_receiver_says():
    assert seconds(delivery_retry(attempts, None, MOST) for attempts in range(6)) == [5, 30, 120, 300, 300, 300]
    assert seconds(delivery_retry(attempts, None, LEAST) for attempts in range(6)) == [2.5, 15, 60, 150, 150, 150]
    assert delivery_retry(0, timedelta(seconds=40), MOST) == timedelta(seconds=40)
    assert delivery_retry(0, timedelta(days=9), MOST) == timedelta(hours=1)
