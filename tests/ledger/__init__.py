"""Tests of the ledgers; what fails within a builder is told as fully as within a test."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.ledger.building")
