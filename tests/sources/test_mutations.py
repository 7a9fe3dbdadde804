"""Spoiled records of every format: an event, or a refusal that names a field, and nothing else. Many more come on demand."""

from __future__ import annotations

import pytest

from ar_workers.sources import FORMATS
from tests.sources.mutations import OVER, SHAPES, judged, tried


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_spoiled_record_is_an_event_or_a_refusal_that_names_its_field(kind):
    outcomes = tried(kind, 400, "make test")
    events = {name: count for name, count in outcomes.items() if name.startswith("threat_")}
    assert sum(events.values()) > outcomes.total() / 4, outcomes
    assert len(outcomes) > len(events), outcomes


@pytest.mark.parametrize("kind", list(FORMATS))
def test_an_unspoiled_record_is_a_published_threat_or_the_end_of_one(kind):
    assert {judged(kind, shape) for shape in SHAPES[kind]} == {"threat_published", *(["threat_closed"] if kind in OVER else [])}
