"""The token that several vendors give for id and secret."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ar_workers.domain.errors import AuthRefused, Denied, VendorFault
from ar_workers.edr.tokens import Token
from ar_workers.http import Reply

DONE = Reply(200, {}, None)
UNAUTHENTICATED = AuthRefused("POST /x: 401", is_unauthenticated=True)


class Vendor:
    """Gives token-1, token-2 and so on, each for an hour, unless there is an error to raise."""

    def __init__(self):
        self.given, self.error = 0, None

    def fetch(self):
        self.given += 1
        if self.error:
            raise self.error
        return f"token-{self.given}", 3600.0


@pytest.fixture
def clock():
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def vendor():
    return Vendor()


@pytest.fixture
def token(vendor, clock):
    return Token(vendor.fetch, now=lambda: clock.now)


def sent(token, *errors):
    """What a call has carried, try by try; the first ones fail."""
    carried, left = [], list(errors)

    def send(headers):
        carried.append(headers["Authorization"])
        if left:
            raise left.pop(0)
        return DONE

    try:
        assert token.carried_by(send) is DONE
    except (AuthRefused, VendorFault) as error:
        carried.append(str(error))
    return carried


def test_it_is_fetched_when_it_is_needed_and_kept(token, vendor):
    assert vendor.given == 0
    assert [sent(token), sent(token)] == [["Bearer token-1"], ["Bearer token-1"]]
    assert vendor.given == 1


@pytest.mark.parametrize(("later", "shown"), [(3479.0, "Bearer token-1"), (3481.0, "Bearer token-2")])
def test_it_is_renewed_shortly_before_it_expires(token, clock, later, shown):
    sent(token)
    clock.now += later
    assert sent(token) == [shown]


def test_a_call_is_made_once_more_after_a_401_with_another_token(token):
    assert sent(token, UNAUTHENTICATED) == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("second", [AuthRefused("POST /x: 401 again", is_unauthenticated=True), VendorFault("POST /x: 503")])
def test_a_call_is_never_made_a_third_time(token, second):
    assert sent(token, UNAUTHENTICATED, second) == ["Bearer token-1", "Bearer token-2", str(second)]


@pytest.mark.parametrize("error", [AuthRefused("POST /x: 403 error: 401"), VendorFault("POST /x: 503")])
def test_after_anything_else_no_call_is_made_again(token, vendor, error):
    assert sent(token, error) == ["Bearer token-1", str(error)]
    assert vendor.given == 1


def test_a_401_of_a_token_that_was_renewed_meanwhile_fetches_no_third(token, vendor):
    old = token.value()
    assert token.value(but=old) == token.value(but=old)
    assert vendor.given == 2


@pytest.mark.parametrize("error", [AuthRefused("POST /token: 401"), Denied("POST /token: 400 invalid_client")])
def test_refused_credentials_are_not_asked_about_again_for_a_minute(token, vendor, clock, error):
    vendor.error = error
    refused = f"credentials refused: {error}"
    assert [sent(token), sent(token)] == [[refused], [refused]]
    assert vendor.given == 1
    clock.now += 61
    vendor.error = None
    assert sent(token) == ["Bearer token-2"]


def test_a_token_that_was_turned_away_is_not_sent_again_while_no_other_is_given(token, vendor, clock):
    sent(token)
    vendor.error = AuthRefused("POST /token: 401")
    refused = "credentials refused: POST /token: 401"
    assert sent(token, UNAUTHENTICATED) == ["Bearer token-1", refused]
    assert sent(token) == [refused]
    clock.now += 61
    vendor.error = None
    assert sent(token) == ["Bearer token-3"]


def test_a_vendor_that_fails_to_give_one_is_asked_again(token, vendor):
    vendor.error = VendorFault("POST /token: 503")
    assert sent(token) == ["POST /token: 503"]
    vendor.error = None
    assert sent(token) == ["Bearer token-2"]


def test_it_is_not_shown(token):
    sent(token)
    assert "token-1" not in repr(token) + repr(vars(token))
