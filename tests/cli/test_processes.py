"""Ctrl-C and SIGTERM: they reach us wherever Python is at that moment, and once."""

from __future__ import annotations

import signal
import time

import pytest

from ar_workers.cli.processes import Interrupted, interruptible


class Finalised:
    """Is interrupted while Python finalises it, which drops what is raised meanwhile. So does a fork."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


def work(number):
    Finalised(number)
    time.sleep(10)
    pytest.fail("nobody was interrupted")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_python_dropped_comes_again(number):
    with pytest.raises(Interrupted), interruptible():
        work(number)


def work_and_tidy_up(done):
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.1)
        done.append("tidied up")


def test_while_it_tidies_up_nothing_interrupts():
    done = []
    with pytest.raises(Interrupted), interruptible():
        work_and_tidy_up(done)
    assert done == ["tidied up"]


def test_afterwards_signals_mean_what_they_meant():
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with interruptible():
        pass
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before
