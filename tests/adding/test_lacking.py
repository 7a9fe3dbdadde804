"""A vendor, a channel or a verb that lacks a part is told the file that lacks it; these are the files that CONTRIBUTING.md names."""

from __future__ import annotations

from typing import get_args

import pytest

from ar_workers.domain.actions import Verb
from ar_workers.domain.channels import ChannelName
from ar_workers.domain.endpoints import Vendor
from tests.adding import places
from tests.adding.test_adding import steps

KINDS = {"edr": places.of_vendor, "channel": places.of_channel, "verb": places.of_verb}
NAMES = [
    *(("edr", str(name)) for name in Vendor),
    *(("channel", name) for name in get_args(ChannelName)),
    *(("verb", name) for name in get_args(Verb)),
]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_nothing_lacks_a_part(kind, name):
    lacking = [f"{path} lacks {what} of {name}" for path, what in KINDS[kind](name)]
    if lacking:
        pytest.fail("\n".join(lacking), pytrace=False)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_nowhere_lacks_exactly_what_the_page_tells_to_add(kind):
    _, found = steps(kind)
    named = [name.replace("/x.py", "/nobody.py") if kind != "verb" else name for step in found for name in step]
    assert sorted(path for path, _ in KINDS[kind]("nobody")) == sorted(named)
