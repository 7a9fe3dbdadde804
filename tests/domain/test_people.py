"""Who may what: the one table, read from both sides."""

from __future__ import annotations

import pytest

from ar_workers.domain.people import LEAST, Decision, Person, PersonRole, alone_on, decisions_of, may, refusal

LEE, KIM = Person("lee", PersonRole.RESPONDER, "1"), Person("kim", PersonRole.APPROVER, "2")
STOPS = {"acknowledge", "pause", "release", "requeue", "resolve"}


@pytest.mark.parametrize(
    ("role", "decisions"),
    [("viewer", set()), ("responder", STOPS), ("approver", STOPS | {"approve", "deny", "resume", "undo"}), ("admin", set(Decision))],
)
def test_each_role_may_this_and_nothing_else(role, decisions):
    assert set(decisions_of(PersonRole(role))) == decisions


def test_every_decision_has_somebody_who_may():
    assert set(LEAST) == set(Decision)
    assert all(may(PersonRole.ADMIN, each) and not may(PersonRole.VIEWER, each) for each in Decision)


def test_a_refusal_says_who_may():
    assert refusal(LEE, Decision.APPROVE, [LEE, KIM]) == "lee is responder, and may not approve: approver and admin may (kim)"
    assert refusal(LEE, Decision.APPROVE, [LEE]).endswith("(nobody is one)")
    assert refusal(KIM, Decision.APPROVE, [LEE, KIM]) == ""


@pytest.mark.parametrize(
    ("approver", "asked_by", "why"),
    [("kim", "", None), ("kim", "lee", None), ("kim", "kim", "kim has asked"), ("kim", None, "who asked"), ("", "", "who approved")],
)
def test_two_are_needed_of_whom_it_is_known_who_they_are(approver, asked_by, why):
    found = alone_on({"protected": approver}, asked_by)
    assert found == why if why is None else (found[0] == "protected" and why in found[1])


def test_each_guard_needs_two():
    assert alone_on({"blast_radius": "kim", "protected": "lee"}, "lee")[0] == "protected"
    assert alone_on({}, "lee") is None
