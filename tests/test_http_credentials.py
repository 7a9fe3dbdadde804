"""A reply that repeats the credential which it was sent: a proxy's page of errors may do so. It is in nothing that we tell."""

from __future__ import annotations

import json

import pytest

from ar_workers.domain.errors import Denied
from ar_workers.http import Dialect, HttpSession
from ar_workers.simulator.server import Reply, Server, Untenanted

DIALECT = Dialect(explain=lambda body: ("code", body["said"] if isinstance(body, dict) else body or ""), trace_header="x-trace")
KEY = "ab/cd+ef-0123456789"


class Repeating(Untenanted):
    """Answers with what it was sent, in the words that it is given."""

    vendor = "repeating"

    def __init__(self):
        self.status, self.word = 400, lambda request: json.dumps({"said": f"no: {dict(request.headers)} {request.body.decode()}"})

    def answer(self, request):
        said = {name: value for name, value in request.headers.items() if name in {"authorization", "x-auth-token", "x-api-key"}}
        return Reply(self.status, self.word(request).encode(), {"X-Trace": " ".join(said.values()), "Content-Type": "application/json"})


@pytest.fixture
def site():
    twin = Repeating()
    server = Server(twin)
    server.start()
    twin.session = HttpSession(server.url, DIALECT)
    yield twin
    server.stop()


def refusal(site, **request):
    with pytest.raises(Denied) as refused:
        site.session.call("POST", "/x", **request)
    return f"{refused.value} {refused.value.code} {refused.value.trace}"


@pytest.mark.parametrize("name", ["Authorization", "X-Auth-Token", "X-Api-Key"])
@pytest.mark.parametrize("scheme", ["", "Bearer ", "ApiToken "])
def test_a_credential_that_comes_back_is_hidden(site, name, scheme):
    told = refusal(site, headers={name: f"{scheme}{KEY}", "Accept": "application/json"})
    assert KEY not in told
    assert "(credential)" in told
    assert "application/json" in told


def test_each_half_of_a_key_with_its_id_is_hidden(site):
    told = refusal(site, headers={"X-Auth-Token": "THESECRET/THEKEYID"})
    assert "THESECRET" not in told
    assert "THEKEYID" not in told


def test_a_secret_in_a_form_is_hidden_and_the_rest_of_the_form_is_not(site):
    told = refusal(site, form={"client_id": "the-client", "client_secret": KEY})
    assert "the-client" in told
    assert "ab%2Fcd" not in told
    assert KEY not in told


@pytest.mark.parametrize("word", [lambda text: text.replace("/", "\\/"), lambda text: f"<html>{text}</html>"])
def test_it_is_hidden_however_it_is_written(site, word):
    site.word = lambda request: word(json.dumps({"said": request.headers["authorization"]}))
    assert KEY not in refusal(site, headers={"Authorization": f"Bearer {KEY}"})


def test_what_is_no_credential_comes_back_as_it_is(site):
    site.status, site.word = 200, lambda request: request.body.decode()
    assert site.session.call("POST", "/x", headers={"Authorization": "Bearer abc"}, body={"a": "abc"}).body == {"a": "abc"}
