"""How long a vendor asks to be left alone, however it writes that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.errors import Throttled
from ar_workers.http import Dialect, HttpSession, Reply, delay_of

#: What passes between the writing of an instant and its reading.
SLACK = timedelta(seconds=30)
NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=True, allow_infinity=True))
PADDING = st.sampled_from(["", " ", "\t"])


def written(instant, form):
    at = instant.timestamp()
    return {
        "seconds": str(int(at)),
        "fraction": f"{at:.3f}",
        "milliseconds": str(int(at * 1000)),
        "date": format_datetime(instant, usegmt=True),
        "date without a zone": format_datetime(instant).replace("+0000", "-0000"),
    }[form]


@pytest.mark.parametrize("form", ["seconds", "fraction", "milliseconds", "date", "date without a zone"])
@given(ahead=st.integers(60, 10**7))
def test_an_instant_to_come_is_the_time_until_then(form, ahead):
    found = delay_of(written(datetime.now(UTC) + timedelta(seconds=ahead), form))
    assert timedelta(seconds=ahead) - SLACK < found <= timedelta(seconds=ahead, milliseconds=1)


@pytest.mark.parametrize("form", ["seconds", "fraction", "milliseconds", "date", "date without a zone"])
@given(ago=st.integers(1, 10**8))
def test_an_instant_in_the_past_says_nothing(form, ago):
    assert delay_of(written(datetime.now(UTC) - timedelta(seconds=ago), form)) is None


@given(seconds=st.one_of(st.integers(0, 10**9), st.floats(0, 10**9).map(lambda each: round(each, 6))), before=PADDING, after=PADDING)
def test_a_number_up_to_a_billion_is_seconds(seconds, before, after):
    text = f"{seconds:.6f}" if isinstance(seconds, float) else str(seconds)
    assert delay_of(before + text + after) == timedelta(seconds=float(text))


@given(value=st.one_of(st.none(), st.text(max_size=60), NUMBERS.map(str), st.datetimes().map(str)))
def test_whatever_is_written_is_a_time_from_now_or_says_nothing(value):
    found = delay_of(value)
    assert found is None or timedelta() <= found <= timedelta(seconds=10**9)


@pytest.mark.parametrize("rubbish", ["", " ", "-1", "-1764400000", "soon", "nan", "inf", "1e5", "²", "١٢", "1,5", "1.2.3", "0x10", "12 s"])
def test_rubbish_says_nothing(rubbish):
    assert delay_of(rubbish) is None


def test_an_instant_in_retry_after_is_no_wait_of_decades():
    session = HttpSession("https://edr.example", Dialect())
    at = datetime.now(UTC) + timedelta(seconds=90)
    with pytest.raises(Throttled) as raised:
        session._judge("GET /x", Reply(429, {"retry-after": str(int(at.timestamp()))}, None))
    assert timedelta(seconds=60) < raised.value.retry_after <= timedelta(seconds=90)
