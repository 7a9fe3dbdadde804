"""What a customer is told of each outcome, and that nothing of a threat is told twice or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.domain.endpoints import VENDOR_NAMES
from ar_workers.domain.notifications import Notification, remediation_summary
from ar_workers.domain.rows import Containment
from ar_workers.domain.states import State
from ar_workers.domain.summaries import MOST_ENTRIES, OUTCOMES, Who, summarise
from ar_workers.edr import ADAPTERS
from tests.builders import NOON, a_row, a_summary, a_threat


@given(st.lists(st.sampled_from(sorted(State)), min_size=1, max_size=150))
def test_every_action_is_in_exactly_one_section(states):
    found = a_summary(*(a_row(state) for state in states))
    assert sum(section.total for section in (found.outstanding, found.completed, found.not_done)) == len(states)


def test_only_what_the_edr_showed_is_called_verified():
    for state in State:
        (section,) = a_summary(a_row(state)).sections
        assert (section.title == "Completed") == section.entries[0].is_verified == (state in {"done", "already"})
        assert (section.title == "Outstanding") == (section.entries[0].who is not None)


def test_the_whole_is_counted_in_one_line_with_what_is_the_customers_to_do():
    rows = [a_row(State.DONE), a_row(State.SKIPPED), a_row(State.PENDING)]
    assert a_summary(*rows).counts == "1 completed, 1 not done, 1 outstanding"


def test_every_state_and_every_edr_has_a_word():
    assert set(OUTCOMES) == set(State)
    assert set(VENDOR_NAMES) == set(ADAPTERS)


def test_an_entry_tells_when_how_where_and_under_which_id():
    (entry,) = a_summary(a_row(settled_at=NOON + timedelta(minutes=1))).completed.entries
    assert (entry.verb, entry.subject, entry.outcome) == ("isolate", "FIN-LT-07", "done")
    assert (entry.edr, entry.reference, entry.why) == ("CrowdStrike", "order-1", "Falcon shows status contained")
    assert (entry.accepted_at, entry.settled_at) == (NOON, NOON + timedelta(minutes=1))


NEXT = [
    (State.HELD, "protected endpoint: a TRE decides", {}, Who.CUSTOMER, "you protect this endpoint"),
    (State.HELD, "paused (*): drill", {}, Who.TRE, "approve it"),
    (State.HELD, "blast radius: 25 isolations in the last 1 h; a TRE decides", {}, Who.TRE, "approve it"),
    (State.UNKNOWN, "OutcomeUnknown: reset", {}, Who.AUTOMATION, "whether it took effect"),
    (State.PERFORMED, "", {"deadline": NOON}, Who.AUTOMATION, "until 2026-11-24 12:00 UTC"),
    (State.PENDING, "EndpointOffline: the sensor is offline", {}, Who.CUSTOMER, "connect the endpoint again"),
    (State.PENDING, "Throttled: 429", {}, Who.AUTOMATION, "goes on trying"),
    (State.WAITING, "", {}, Who.AUTOMATION, "goes on trying"),
    (State.FAILED, "deadline passed; last: EndpointOffline: away", {}, Who.CUSTOMER, "connect the endpoint again"),
    (State.FAILED, "AuthRefused: 403", {}, Who.CUSTOMER, "give the TREs access again"),
    (State.FAILED, "accepted by the EDR, but not in effect: no", {}, Who.CUSTOMER, "whether it is in effect"),
    (State.FAILED, "acme has no crowdstrike configured", {"begun_at": None}, Who.CUSTOMER, "do it in CrowdStrike"),
]


@pytest.mark.parametrize(("state", "reason", "more", "who", "todo"), NEXT, ids=[f"{n[0]}-{n[1][:20]}" for n in NEXT])
def test_what_is_outstanding_says_who_has_to_do_what(state, reason, more, who, todo):
    (entry,) = a_summary(a_row(state, reason=reason, **more)).outstanding.entries
    assert entry.who is who
    assert todo in entry.todo


def test_an_endpoint_is_still_isolated_until_its_release_is_done():
    isolated, release = a_row(), a_row(verb="release")
    assert a_summary(isolated).isolated == ("FIN-LT-07",)
    assert a_summary(isolated, release).isolated == ()
    assert a_summary(isolated, a_row(State.FAILED, verb="release")).isolated == ("FIN-LT-07",)
    assert a_summary(isolated, release, isolated).isolated == ("FIN-LT-07",)


def test_a_very_long_section_says_how_much_is_left_out():
    found = a_summary(*[a_row()] * (MOST_ENTRIES + 5))
    assert (len(found.completed.entries), found.completed.left_out, found.completed.total) == (MOST_ENTRIES, 5, MOST_ENTRIES + 5)
    assert ("Completed", "… (5 more, see the threat)") in found.facts()


def test_what_an_edr_says_over_several_lines_costs_no_summary():
    """A notification is one-line facts; an error of a shell is not."""
    found = a_summary(a_row(State.FAILED, reason="the EDR could not: line 1\r\nline 2\x1b[31m\u202e", evidence=""))
    note = remediation_summary("acme", a_threat(), found, by="Kim", text="Done.")
    assert "line 1 line 2 [31m" in note.summary.outstanding.entries[0].why
    assert Notification.model_validate_json(note.model_dump_json()) == note


def test_only_the_other_facts_are_beside_the_summary():
    note = remediation_summary("acme", a_threat(), a_summary(), by="Kim", text="Done.")
    assert len(note.facts) == 3
    assert note.other_facts == (("Summary by", "Kim"),)


def test_without_a_tre_it_is_a_draft():
    assert remediation_summary("acme", a_threat(), a_summary()).headline.startswith("Draft")


def shown(*, is_isolated):
    return {a_row().lane: Containment(is_isolated=is_isolated, at=NOON)}


def test_an_endpoint_that_another_threat_released_is_not_called_isolated():
    assert summarise([a_row()], a_threat()).isolated == ("FIN-LT-07",)
    assert summarise([a_row()], a_threat(), shown=shown(is_isolated=False)).isolated == ()


def test_an_endpoint_that_another_threat_isolated_is_called_so():
    rows = [a_row(), a_row(verb="release", id="acme:release:1")]
    assert summarise(rows, a_threat()).isolated == ()
    assert summarise(rows, a_threat(), shown=shown(is_isolated=True)).isolated == ("FIN-LT-07",)
