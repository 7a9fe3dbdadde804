"""What is acted on is refused unless it is clean; what is only shown is made so."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import ar_workers
from ar_workers.domain.endpoints import Endpoint
from ar_workers.domain.text import LONGEST, LONGEST_PROSE, LONGEST_WHOLE, Line, MailAddress, Prose, Shown, Span, Whole, is_printable, typed
from ar_workers.domain.threats import Note
from tests.builders import a_threat

PACKAGE = Path(ar_workers.__file__).parent
SHOWN, LINE, PROSE, WHOLE = TypeAdapter(Shown), TypeAdapter(Line), TypeAdapter(Prose), TypeAdapter(Whole)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_what_is_shown_is_one_clean_line_whatever_stood_there(value):
    line = SHOWN.validate_python(value)
    assert is_printable(line)
    assert "\n" not in line
    assert SHOWN.validate_python(line) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\u202eb\nc\t d", "a b c d"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc \u062e"),
        ("\ud800", ""),
        (" \u200b ", ""),
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * (LONGEST + 1), "x" * (LONGEST - 1) + "…"),
        ("x" * 2**20, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_what_is_shown_is_cleaned_folded_and_cut(text, line):
    assert SHOWN.validate_python(text) == line


@pytest.mark.parametrize("text", ["a\u202eb", "a\u200db", "a\nb", "", " ", "x" * (LONGEST + 1), None, 5])
def test_what_is_acted_on_is_refused_instead(text):
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


def test_what_names_a_thing_is_whole_and_says_where_it_had_to_be_cut():
    assert WHOLE.validate_python(" a\u202e  b\n") == "a   b"
    assert WHOLE.validate_python("x" * LONGEST_WHOLE) == "x" * LONGEST_WHOLE
    cut = WHOLE.validate_python("x" * 2**20)
    assert (len(cut), cut[-36:]) == (LONGEST_WHOLE, "x… (cut: it has 1,048,576 characters)"[-36:])
    assert WHOLE.validate_python(cut) == cut
    assert WHOLE.validate_python(None) == ""


@pytest.mark.parametrize(("span", "text"), [({"minutes": 15}, "15m"), ({"hours": 1}, "1h"), ({"seconds": 90}, "90s"), ({"days": 1}, "24h")])
def test_a_duration_is_written_as_it_is_typed(span, text):
    assert typed(timedelta(**span)) == text
    assert TypeAdapter(Span).validate_python(text) == timedelta(**span)


def test_nobody_cuts_a_sentence_without_a_word():
    """What is acted on, decided and recorded is said by `whole` or `shortened`, which show where they cut."""
    cut = re.compile(r"""(["']|cleaned\(.*\))\[:\s?[0-9A-Z_]+\]""")
    places = [path for name in ("automations", "domain", "edr", "ledger", "pipeline", "sources") for path in (PACKAGE / name).rglob("*.py")]
    assert len(places) > 100
    found = [f"{path.name}: {line.strip()}" for path in places for line in path.read_text().splitlines() if cut.search(line)]
    assert found == []


def test_prose_keeps_its_lines_and_is_cut():
    assert PROSE.validate_python("a\u202e\r\nb") == "a \nb"
    assert PROSE.validate_python(None) == ""
    long = PROSE.validate_python("x" * 2**20)
    assert (len(long), long[-1]) == (LONGEST_PROSE, "…")


@pytest.mark.parametrize("nothing", ["", None, " ", "\u200d", 5, []])
def test_a_text_of_which_nothing_can_be_shown_has_a_stand_in(nothing):
    threat = a_threat(title=nothing, classification=nothing)
    assert (threat.title, threat.classification) == ("Threat", "not classified")
    assert Endpoint(edr="crowdstrike", agent_id="agent-7", hostname=nothing).hostname == "agent-7"
    assert Note(author="tre", name=nothing, text="x").name == "not named"


@pytest.mark.parametrize("address", ["soc@acme.example", "first.last+tag@mail.acme-corp.example"])
def test_one_mail_address_is_taken(address):
    assert TypeAdapter(MailAddress).validate_python(address) == address


@pytest.mark.parametrize(
    "address", ["soc", "soc@acme", "a@x.example, b@x.example", "soc@-acme.example", "soc@acme.example\nBcc: all@x.example"]
)
def test_what_is_not_one_mail_address_is_refused(address):
    with pytest.raises(ValidationError):
        TypeAdapter(MailAddress).validate_python(address)
