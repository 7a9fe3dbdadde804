"""Text that somebody writes who means us ill, or who knows no better, for property tests of what channels render."""

from __future__ import annotations

from hypothesis import strategies as st

from ar_workers.domain.notifications import Kind, remediation_summary
from ar_workers.domain.states import State
from ar_workers.domain.summaries import summarise
from tests.builders import NOON, a_notification, a_row, a_threat

WORDS = [
    "]]>",
    "<!channel>",
    "<@U123>",
    "<https://evil.example|click>",
    "*_~`",
    "\r\n\0\x1b[31m",
    "\u202e\u2066\u200f",
    "\u2028",
    "\ud800",
    "😀" * 5_000,
    "n" * 300,
    "[click](https://evil.example)",
    "{{DATE(2026-01-01T00:00:00Z,SHORT)}}",
    "{{{TIME(x)}}}",
    "&" * 600,
    '"\\' * 400,
    "<at>everyone</at>",
    "</speak><audio src='x'/>",
    "${jndi}",
    "= @cmd",
]
TEXT = st.one_of(
    st.text(alphabet=st.one_of(st.sampled_from("<>&*_~`|[](){}!@#\"'\\\r\n\0\u202e\u2028%$"), st.characters()), min_size=1, max_size=400),
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
)


def a_hostile_notification(headline, value, body):
    """Past validation: what a careless author of a notification might let through. Only what the types bound is bounded."""
    threat = a_threat().model_copy(update={"classification": value[:500]})
    facts = tuple((value[:60], value * 3) for _ in range(40))
    return a_notification().model_copy(update={"headline": headline, "facts": facts, "body": body * 10, "threat": threat})


def a_hostile_summary(value, states, number):
    """What an EDR says may be anything: rows are kept as they came."""
    words = dict.fromkeys(("subject", "reason", "evidence", "reference"), value * 2)
    rows = [a_row().model_copy(update={**words, "state": state}) for state in states for _ in range(number)]
    return summarise(rows, a_threat(), NOON)


@st.composite
def notifications(draw):
    """Of every kind, with and without a threat, and the summary with anything from nothing to more than it keeps."""
    headline, value, body = draw(TEXT), draw(TEXT), draw(TEXT)
    kind = draw(st.sampled_from(sorted(Kind)))
    note = a_hostile_notification(headline, value, body).model_copy(update={"kind": kind})
    if kind is Kind.REMEDIATION_SUMMARY:
        states, number = draw(st.sets(st.sampled_from(sorted(State)))), draw(st.sampled_from([1, 7, 101]))
        drafted = remediation_summary("acme", a_threat(), a_hostile_summary(value, sorted(states), number), by="Kim")
        note = note.model_copy(update={"summary": drafted.summary, "facts": drafted.facts})
    return note.model_copy(update={"threat": None}) if kind is Kind.UNSUPPORTED_OS else note
