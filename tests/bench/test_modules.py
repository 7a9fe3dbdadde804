"""The benchmarks are run by hand and rarely: that they fit the code is seen here."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "bench"
MODULES = sorted(f"bench.{path.stem}" for path in FOLDER.glob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_the_benchmarks_can_be_imported(name):
    importlib.import_module(name)
