"""An answer of a shape that its vendor does not document costs one call, whichever adapter reads it, and no worker."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import OutcomeUnknown, VendorFault
from ar_workers.domain.facts import Fact, Sight
from ar_workers.edr.gated import Gated
from ar_workers.feeds.gated import GatedFeed
from tests.builders import an_isolate
from tests.clocks import a_ledger

ODD = [AttributeError("x"), KeyError("x"), IndexError("x"), TypeError("x"), ValueError("x"), OverflowError("x"), RecursionError("x")]


class Misreading:
    """Meets something that it does not expect, whatever it is asked."""

    vendor = name = "crowdstrike"

    def __init__(self, odd):
        self._odd = odd

    def _meet(self, *_):
        raise self._odd

    endpoint = observe = perform = withdraw = page = _meet

    def members(self, _):
        yield self._meet()


@pytest.fixture(params=ODD, ids=lambda each: type(each).__name__)
def edr(request):
    return Gated(Misreading(request.param), a_ledger(), "acme")


def test_a_look_that_cannot_be_read_may_be_repeated(edr, caplog):
    for look in (lambda: edr.endpoint("a1"), lambda: edr.observe(an_isolate(), None), lambda: list(edr.members("Remediate"))):
        with pytest.raises(VendorFault, match="an answer has an unknown shape"):
            look()
    assert "Traceback" in caplog.text


def test_after_a_write_whose_answer_cannot_be_read_the_outcome_is_unknown(edr):
    for write in (lambda: edr.perform(an_isolate(), Fact(sight=Sight.ABSENT)), lambda: edr.withdraw(an_isolate(), None)):
        with pytest.raises(OutcomeUnknown):
            write()


def test_a_page_of_a_feed_that_cannot_be_read_is_the_vendors_fault():
    with pytest.raises(VendorFault):
        GatedFeed(Misreading(TypeError("x")), a_ledger(), "acme").page("")


def test_another_error_stays_what_it_is():
    with pytest.raises(MemoryError):
        Gated(Misreading(MemoryError()), a_ledger(), "acme").endpoint("a1")
