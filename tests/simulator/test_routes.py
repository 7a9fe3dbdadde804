from __future__ import annotations

import pytest

from ar_workers.simulator.routes import Route, Routes

ROUTES = Routes({
    ("GET", "/sensors/*"): "one",
    ("POST", "/sensors/search"): "search",
    ("GET", "/sensors/*/results(index=*)"): "result",
    ("GET", "/sensors/mine"): "mine",
})  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/sensors/7", Route("/sensors/*", "one", ("7",))),
        ("GET", "/sensors/search", Route("/sensors/*", "one", ("search",))),
        ("GET", "/sensors/mine", Route("/sensors/mine", "mine", ())),
        ("GET", "/sensors/7/results(index=0)", Route("/sensors/*/results(index=*)", "result", ("7", "0"))),
        ("GET", "/sensors/*", Route("/sensors/*", "one", ("*",))),
        ("GET", "/sensors/7/8", None),
        ("GET", "/sensors/", None),
    ],
)
def test_a_star_is_one_part_of_the_path(method, path, found):
    assert ROUTES.find(method, path) == found


def test_a_path_of_another_method_is_known_but_leads_nowhere():
    assert ROUTES.find("DELETE", "/sensors/7") is None
    assert ROUTES.is_known("/sensors/7")
    assert not ROUTES.is_known("/sensors/7/8")
