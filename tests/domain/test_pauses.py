"""A pause in words, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ar_workers.domain.pauses import Pause

SIX = datetime(2026, 12, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pause", "is_everyones", "words"),
    [
        (
            Pause(reason="change freeze", by="kim", until=SIX),
            False,
            "paused by kim until 2026-12-01 06:00 UTC (verb:isolate): change freeze",
        ),
        (Pause(reason="freeze", by="kim"), False, "paused by kim (verb:isolate): freeze"),
        (Pause(reason="freeze"), False, "paused (verb:isolate): freeze"),
        (Pause(reason="stop", by="kim", until=SIX), True, "paused for everyone by kim until 2026-12-01 06:00 UTC (verb:isolate): stop"),
        (Pause(reason="stop"), True, "paused for everyone (verb:isolate): stop"),
    ],
)
def test_what_is_held_says_by_whom_until_when_and_why(pause, is_everyones, words):
    assert pause.words("verb:isolate", is_everyones=is_everyones) == words


def test_the_end_is_told_in_utc_and_to_the_second():
    here = timezone(timedelta(hours=1))
    assert Pause(reason="x", until=SIX.astimezone(here)).ending == " until 2026-12-01 06:00 UTC"
    assert Pause(reason="x", until=SIX + timedelta(seconds=7)).ending == " until 2026-12-01 06:00:07 UTC"


def test_a_strangers_words_are_one_line_and_nothing_else():
    pause = Pause(reason="stop\n\x1b[31m (verb:x): until 2030\u202e", by="kim\nlee")
    assert pause.words("*", is_everyones=False) == "paused by kim lee (*): stop [31m (verb:x): until 2030"


def test_a_pause_is_over_from_its_end_on():
    pause = Pause(reason="x", until=SIX)
    assert [pause.has_ended(SIX - timedelta(milliseconds=1)), pause.has_ended(SIX)] == [False, True]
    assert not Pause(reason="x").has_ended(SIX)
