"""A packed threat: as it was, and readable for ever."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ar_workers.ledger import packing

DOCUMENTS = st.dictionaries(st.text(), st.lists(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none()))))


@given(DOCUMENTS)
def test_what_is_unpacked_is_what_was_packed(document):
    text = packing.packed(document)
    assert text.isascii()
    assert packing.unpacked(text) == document


def test_the_common_text_by_which_threats_were_packed_has_not_changed():
    checksums = {name: hashlib.sha256(text).hexdigest()[:16] for name, text in packing._COMMON.items()}
    assert checksums == {"1": "4336d2daf34c3485"}
