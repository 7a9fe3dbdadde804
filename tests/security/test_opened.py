"""That each trial can fail: with a guard that was opened on purpose something gets through, and the trial says so."""

from __future__ import annotations

import random
from base64 import b64encode

import pytest
from pydantic import SecretStr

from ar_workers.channels.egress import Egress
from ar_workers.domain.errors import Denied
from ar_workers.domain.wellknown import WellKnown
from ar_workers.ledger.redis import RedisLedger
from ar_workers.lists.suffixes import public_suffixes
from ar_workers.seals import Seals
from ar_workers.simulator.crowdstrike.shell import split_commands
from tests.edr.quoting import windows_words
from tests.keys import Everybody, a_ring
from tests.security.forging import Scene
from tests.security.trials import addresses, approvals, canaries, chains, doorbells, never, parsers, quoting, rows, switches, tenants


class Credulous(Seals):
    """Believes whatever stands in the ledger."""

    def event_flaw(self, *_):
        return None

    def row_flaw(self, *_):
        return None

    def anchor_flaw(self, *_):
        return None


def a_credulous_scene():
    scene = Scene()
    scene.ledger._seals = Credulous(scene.ring, people=scene.people)
    return scene


def test_seals_that_are_believed_unseen_let_rows_and_events_through():
    outcome = rows.forged(a_credulous_scene, 1, 60)
    assert outcome.got_through > 20
    assert any("'isolate'" in line for line in outcome.evidence.splitlines())


@pytest.mark.e2e
def test_a_ledger_that_believes_every_doorbell_does_things_twice(tmp_path):
    outcome = doorbells.rung(tmp_path, 1, 100, is_open=True)
    assert outcome.got_through > 5
    assert "times: acme:isolate" in outcome.evidence or "times: acme:ban_hash" in outcome.evidence


def test_an_egress_that_may_go_anywhere_is_seen_to_dial(tmp_path):
    outcome = addresses.dialled(lambda resolve: Egress(resolve=resolve, allowed=["0.0.0.0/0", "::/0"], total=0.05), tmp_path, 1, 1_000)
    assert outcome.got_through > 20


def test_a_worker_that_knows_no_lists_bans_what_is_on_them():
    outcome = never.ordered(1, 60, well_known=lambda: WellKnown(public_suffixes()))
    assert outcome.got_through > 2
    assert "ban_domain" in outcome.evidence


def unquoted(text):
    """As one would write it who thinks of no quotes."""
    assert split_commands(f'rm "{text}"') == [["rm", text]]
    return True


def test_a_command_that_quotes_carelessly_is_seen_to_say_something_else():
    outcome = quoting.quoted({"careless": unquoted}, 1, 200)
    assert outcome.got_through > 50
    assert all(line.startswith("careless: ") for line in outcome.evidence.splitlines() if ": AssertionError" in line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('a "b c" d', ["a", "b c", "d"]),
        (r'a\\b "c\\" d', ["a\\\\b", "c\\", "d"]),
        (r'"a\"b" c', ['a"b', "c"]),
        (r"a\\\"b", ['a\\"b']),
        ('"a""b" c', ['a"b', "c"]),
        ("  a\t\\ b ", ["a", "\\", "b"]),
        ('""', [""]),
    ],
)
def test_a_command_line_is_taken_apart_as_windows_does(line, words):
    assert windows_words(line) == words


def test_an_edr_that_serves_every_customer_is_seen_by_whose_endpoints_it_is_asked(tmp_path):
    outcome = tenants.called(lambda services, key: services.edrs.get(("acme", key[1])), tmp_path, 1, 60)
    assert outcome.got_through > 5
    assert "is about an endpoint of ['globex']" in outcome.evidence


def test_a_credential_of_before_is_seen(tmp_path):
    first = {}
    outcome = tenants.called(lambda services, key: first.setdefault(key, services.edrs.get(key)), tmp_path, 1, 300)
    assert "-v" in outcome.evidence or "'crowdstrike'" in outcome.evidence
    assert outcome.got_through > 0


class Deaf(RedisLedger):
    """Knows nothing of a switch of all customers."""

    def _switches(self, _):
        return "{}"


def test_a_ledger_that_does_not_hear_the_switch_is_seen_to_go_on(tmp_path):
    outcome = switches.flipped(Deaf, tmp_path, 1, 1, flips=("everyone",), slow=0.1)
    assert outcome.got_through > 0


class Indiscreet:
    """An EDR that tells its token in base64 when it is called."""

    def __init__(self, edr):
        self._edr = edr

    def __getattr__(self, name):
        return getattr(self._edr, name)

    def endpoint(self, agent_id):
        config = self._edr._edr._api._config
        secret = next(value for value in vars(config).values() if isinstance(value, SecretStr) and "secret-" in value.get_secret_value())
        raise Denied(f"no: {b64encode(f'id:{secret.get_secret_value()}:x'.encode()).decode()}")


def test_a_secret_in_an_error_is_found_in_base64_too(tmp_path):
    outcome = canaries.told(Indiscreet, tmp_path, 1, 24)
    assert outcome.got_through > 0
    assert "secret-" in outcome.evidence


def careless(chance):
    return bool(int(chance.choice(["1", "one"])))


def slow(_):
    return sum(range(10**8)) == 0


def test_a_reader_that_raises_or_takes_too_long_is_seen():
    outcome = parsers.parsed({"careless": careless}, random.Random(1), 20)
    assert 0 < outcome.got_through < 20
    assert "careless, input" in outcome.evidence
    assert parsers.parsed({"slow": slow}, random.Random(1), 1).got_through == 1


def test_an_end_that_is_believed_unsealed_lets_another_past_through(tmp_path):
    outcome = chains.changed(tmp_path, 1, 40, Credulous(a_ring(), people=Everybody()))
    assert set(outcome.evidence.splitlines()) == {"told_anew: nothing was found"}


def test_where_one_person_is_enough_who_asked_lets_it_pass():
    outcome = approvals.approved(lambda policy: Scene(policy.model_copy(update={"two_person": False})), 1, 40)
    ways = {line.partition(":")[0] for line in outcome.evidence.splitlines()}
    assert "by who asked" in ways
    assert ways <= {"by who asked", "altered"}  # one of the alterations is that person's own word
