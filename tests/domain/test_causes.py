"""Why a row failed: which failures have one cause, and what is done about each."""

from __future__ import annotations

import shlex

import pytest

from ar_workers.domain import causes, next_steps
from ar_workers.domain.causes import CommonCause, Trouble
from ar_workers.domain.errors import AuthRefused, Denied, EndpointNotFound, VendorFault


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (AuthRefused("POST /oauth2/token: 401 no", is_unauthenticated=True), "credential"),
        (
            AuthRefused("POST /devices/entities/devices-actions/v2: 403 no [trace 7]"),
            "permission POST /devices/entities/devices-actions/v2",
        ),
        (AuthRefused("the token carries no role Machine.Isolate"), "permission the token carries no role Machine.Isolate"),
        (EndpointNotFound("GET /x: 404"), "no_such_endpoint"),
        (Denied("GET /x: 400"), "refused"),
        (VendorFault("GET /x: 500"), ""),
    ],
)
def test_an_error_has_its_cause(error, cause):
    assert causes.of_error(error) == cause


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "/api/machines/1e5bc9d7e413ddd7902c2932e418702b84d0cc07/isolate",
            "/api/machines/2e5bc9d7e413ddd7902c2932e418702b84d0cc07/isolate",
        ),
        ("/api/v1/sensor/17", "/api/v1/sensor/4"),
        ("/v6/b1a9c3f2-0d5e-4a6b-9c7d-1e2f3a4b5c6d", "/v6/c1a9c3f2-0d5e-4a6b-9c7d-1e2f3a4b5c6d"),
    ],
)
def test_a_permission_is_the_same_for_every_endpoint(first, second):
    found = {causes.of_error(AuthRefused(f"PUT {path}: 403 no [trace {path[-4:]}]")) for path in (first, second)}
    assert len(found) == 1
    assert causes.is_shared(found.pop())


@pytest.mark.parametrize("found", ["", "refused", "no_such_endpoint", "unverified no_such_endpoint", "of another version"])
def test_what_is_about_one_endpoint_is_shared_with_no_other(found):
    assert not causes.is_shared(found)


@pytest.mark.parametrize("kind", [each for each in Trouble if each not in {Trouble.RECEIVER, Trouble.TOO_MANY}])
def test_every_cause_says_what_is_done_about_it(kind):
    assert causes.cure_of(causes.cause(kind)) != causes.cure_of("")


def commands(text):
    return [shlex.split(line) for line in text.splitlines() if line.startswith("arctl ")]


def test_what_is_beyond_a_cap_is_seen_passed_or_called_off_by_one_command_each():
    text = next_steps.when_stopped(["acme:isolate:1"], "too_many isolations", "acme")
    assert [words[1] for words in commands(text)] == ["holds", "approve", "deny"]
    assert all(words[2:6] == ["--hold", "blast_radius", "--customer", "acme"] for words in commands(text))


def test_what_failed_for_a_shared_cause_is_first_looked_at_by_doctor():
    text = next_steps.when_stopped(["acme:isolate:1"], "credential", "acme")
    assert commands(text) == [["arctl", "doctor", "--customer", "acme"], ["arctl", "actions", "requeue", "acme:isolate:1"]]


def test_a_row_of_an_older_version_is_looked_for():
    assert commands(next_steps.when_stopped([""], "", "acme")) == [["arctl", "actions", "--state", "failed", "--customer", "acme"]]


def test_many_rows_are_named_in_lines_that_can_be_typed_and_very_many_by_a_filter():
    rows = [f"acme:isolate:{n}" for n in range(next_steps.MOST_NAMED)]
    typed = [word for words in commands(next_steps.when_stopped(rows, "refused", "acme")) for word in words[3:]]
    assert typed == rows
    common = CommonCause(edr="crowdstrike", verb="isolate", cause="credential")
    *_, last = commands(next_steps.when_stopped([*rows, "acme:isolate:x"], "credential", "acme", common))
    assert last == "arctl actions requeue --failed --customer acme --edr crowdstrike --verb isolate --dry-run".split()


def test_what_a_shell_would_read_otherwise_is_quoted():
    assert next_steps.command("actions", "requeue", "acme:x:$(reboot)") == "arctl actions requeue 'acme:x:$(reboot)'"
