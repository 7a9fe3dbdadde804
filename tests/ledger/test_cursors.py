"""What every ledger promises of what many readers share: cursors and ticks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.ledger.building import SHORT, outlast_short


def test_a_cursor_moves_from_where_it_is_expected(ledger):
    assert ledger.cursor("acme", "crowdstrike") == ""
    assert ledger.move_cursor("acme", "crowdstrike", "", "one")
    assert ledger.move_cursor("acme", "crowdstrike", "one", "two")
    assert ledger.cursor("acme", "crowdstrike") == "two"
    assert (ledger.cursor("acme", "defender"), ledger.cursor("globex", "crowdstrike")) == ("", "")


def test_a_slow_reader_does_not_move_a_cursor_backwards(ledger):
    ledger.move_cursor("acme", "crowdstrike", "", "one")
    ledger.move_cursor("acme", "crowdstrike", "one", "two")
    assert not ledger.move_cursor("acme", "crowdstrike", "", "one")
    assert not ledger.move_cursor("acme", "crowdstrike", "one", "three")
    assert ledger.cursor("acme", "crowdstrike") == "two"


def test_a_move_whose_reply_was_lost_may_be_repeated(ledger):
    assert [ledger.move_cursor("acme", "crowdstrike", "", "one") for _ in range(2)] == [True, True]


def test_of_many_readers_one_moves_the_cursor(ledger):
    def move(number):
        return ledger.move_cursor("acme", "crowdstrike", "", f"reader {number}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(move, range(16))).count(True) == 1


def test_one_tick_is_granted_per_window(ledger):
    assert [ledger.tick("sweep", SHORT) for _ in range(3)] == [True, False, False]
    assert ledger.tick("recheck", SHORT)
    outlast_short(ledger)
    assert ledger.tick("sweep", SHORT)
