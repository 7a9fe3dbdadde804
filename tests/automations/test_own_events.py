"""Of what the ledger says of itself, which bears no seal, people are told; nothing is done at an EDR for it."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ar_workers.automations import AUTOMATIONS, plan_for
from ar_workers.domain.events import Own, Published, load_event
from tests.builders import NOON, a_context, a_delivery, a_threat

OWN = {each.model_fields["type"].default: each for each in get_args(Own)}
#: Fields that an automation may look at, with all that they can be.
FIELDS = {
    "verb": st.sampled_from(["isolate", "release", "ban_hash", "delete_file"]),
    "subject": st.text(max_size=20),
    "reason": st.text(max_size=20),
    "row": st.sampled_from(["", "acme:isolate:1"]),
    "edr": st.sampled_from(["", "crowdstrike"]),
    "cause": st.sampled_from(["", "receiver mend it", "credential", "permission GET /x", "tampered", "too_many isolations"]),
    "guard": st.sampled_from(["", "protected", "blast_radius", "in_doubt", "else"]),
    "what": st.text(max_size=20),
    "threat": st.sampled_from([None, a_threat()]),
    "since": st.just(NOON),
    "ends": st.sampled_from([None, NOON]),
    "after": st.just(timedelta(hours=72)),
    "number": st.integers(1, 20),
    "named": st.sampled_from([(), ("isolate PC-1",)]),
    "cap": st.sampled_from(["", "isolations", "bans", "else"]),
    "once": st.sampled_from([None, "x"]),
    "facts": st.just((("a", "b"),)),
    "delivery": st.sampled_from([a_delivery(), a_delivery("email", "soc@acme.example", fallback=a_delivery("slack").receiver)]),
}


def an_own(kind, data):
    known = {name: data.draw(FIELDS[name]) for name in kind.model_fields if name in FIELDS}
    states = {"action_stopped": ["failed", "held"]}.get(
        kind.model_fields["type"].default, ["pending", "done", "cancelled", "failed", "held"]
    )
    more = {"state": data.draw(st.sampled_from(states))} if "state" in kind.model_fields else {}
    return kind(id=".own", customer="acme", occurred_at=NOON, threat_ref="THREAT-1042", **known, **more)


@pytest.mark.parametrize("name", OWN)
@given(data=st.data())
def test_what_the_ledger_says_of_itself_never_comes_to_an_action(name, data):
    event = an_own(OWN[name], data)
    plan = plan_for(load_event(event.model_dump_json()), a_context(is_first_refusal=data.draw(st.booleans())))
    assert (plan.actions, plan.closes) == ((), None)


def test_every_event_is_published_and_sealed_or_the_ledgers_own_and_told_only():
    assert {*AUTOMATIONS} == {*get_args(Published), *get_args(Own)}
    assert {*get_args(Published)} & {*get_args(Own)} == set()
