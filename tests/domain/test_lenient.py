"""Fields that refuse nothing."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import StringConstraints, TypeAdapter

from ar_workers.domain.endpoints import Endpoint
from ar_workers.domain.lenient import Leniently
from ar_workers.domain.text import LONGEST, PLAIN_LINE, PLAIN_WORDS, Shown, Whole, shown, whole


def test_what_is_as_it_should_be_is_not_read_by_python():
    read: list[object] = []
    field = TypeAdapter(
        Annotated[str, StringConstraints(max_length=5), Leniently(lambda value: read.append(value) or "made", plain="^[a-z]+$")]
    )
    assert [field.validate_python(each) for each in ("abc", "ABC", 7, "toolong", None)] == ["abc", "made", "made", "made", "made"]
    assert read == ["ABC", 7, "toolong", None]
    assert field.json_schema() == {"type": "string", "maxLength": 5}


@given(st.text(max_size=40) | st.from_regex(PLAIN_WORDS) | st.from_regex(PLAIN_LINE))
def test_a_text_is_shown_as_if_python_had_read_it(text):
    assert TypeAdapter(Shown).validate_python(text) == shown(text)
    assert TypeAdapter(Whole).validate_python(text) == whole(text)


@pytest.mark.parametrize("text", ["x" * LONGEST, "x" * (LONGEST + 1), "a  b", " a", "a\n", "a\tb", "\u202ea", "Büro"])
def test_a_text_at_the_edge_is_shown_as_if_python_had_read_it(text):
    assert TypeAdapter(Shown).validate_python(text) == shown(text)
    assert TypeAdapter(Whole).validate_python(text) == whole(text)


@pytest.mark.parametrize("name", [{}, {"hostname": ""}, {"hostname": None}, {"hostname": "\u202e"}, {"hostname": 7}])
def test_an_endpoint_without_a_name_goes_by_its_id(name):
    assert Endpoint.model_validate({"edr": "crowdstrike", "agent_id": "a1"} | name).hostname == "a1"
