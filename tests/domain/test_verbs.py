"""The verb table: whole, and the figures in it seen."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from ar_workers.domain.actions import ACTIONS, Effect, Verb, identity
from ar_workers.domain.canvas import Queue
from ar_workers.domain.facts import Receipt
from ar_workers.domain.undo import taken_back
from ar_workers.domain.verbs import CONTAINMENT, GIVING_BACK, UNDOES, VERBS
from ar_workers.ledger.constants import in_lua
from tests.builders import a_delete, a_domain_ban, a_hash_ban, a_key_deletion, a_kill, a_quarantine, a_release, an_action, an_isolate


def test_every_verb_has_its_line():
    assert list(VERBS) == list(ACTIONS) == list(get_args(Verb))


def test_what_moves_an_endpoint_has_a_queue_of_its_own_and_is_tried_for_a_week():
    week, days = timedelta(days=7), timedelta(days=3)
    assert {verb: (each.queue, each.life) for verb, each in VERBS.items() if verb in CONTAINMENT} == {
        "isolate": (Queue.ISOLATION, week),
        "release": (Queue.ISOLATION, week),
    }
    assert {(each.queue, each.life) for verb, each in VERBS.items() if verb not in CONTAINMENT} == {(Queue.IOC, days)}


def test_an_undo_is_a_verb_that_gives_back():
    assert UNDOES == {
        "release": "isolate",
        "unban_hash": "ban_hash",
        "unban_domain": "ban_domain",
        "unquarantine_file": "quarantine_file",
    }
    assert set(UNDOES) == GIVING_BACK


def test_every_verb_has_an_undo_or_says_why_it_has_none():
    assert [verb for verb, each in VERBS.items() if bool(each.undo) + bool(each.no_undo) + each.gives_back != 1] == []


@pytest.mark.parametrize("undo", sorted(UNDOES))
def test_an_undo_is_made_of_its_order_and_nothing_else(undo):
    order = an_action(UNDOES[undo])
    found = taken_back(order, by="kim", row_id="acme:x:1", receipt=Receipt(reference="7"))
    assert (found.verb, found.target, found.lane) == (undo, order.target, order.lane)
    assert (found.requested_by, found.undoes, found.made) == ("kim", "acme:x:1", Receipt(reference="7"))


@pytest.mark.parametrize("undo", sorted(set(UNDOES) - CONTAINMENT))
def test_an_undo_has_the_checksum_of_its_order(undo):
    order = an_action(UNDOES[undo])
    assert identity(taken_back(order)) == identity(order).replace(UNDOES[undo], undo)
    assert identity(taken_back(order)).split(":")[2] != identity(order.model_copy(update={"customer": "globex"})).split(":")[2]


def test_a_release_is_called_as_it_was_in_every_version():
    assert identity(a_release()) == "acme:release:a8307dc5881ad176"


def test_an_endpoint_is_cut_off_before_its_processes_end_and_these_before_their_files():
    steps = {verb: each.step for verb, each in VERBS.items() if each.step is not None}
    assert steps.items() >= {"isolate": 0, "kill_process": 1, "delete_file": 2, "quarantine_file": 2, "delete_registry_key": 2}.items()


def test_lua_reads_the_same_table():
    lua = set(in_lua())
    assert "local URGENT = {isolate = true, release = true}" in lua
    assert "local GIVES_BACK = {release = true, unban_domain = true, unban_hash = true, unquarantine_file = true}" in lua
    assert "local HAS_UNDO = {ban_domain = true, ban_hash = true, isolate = true, quarantine_file = true}" in lua
    pairs = "release = 'isolate', unban_hash = 'ban_hash', unban_domain = 'ban_domain', unquarantine_file = 'quarantine_file'"
    assert f"local UNDOES = {{{pairs}}}" in lua
    assert "local CAP_OF = {isolate = 'isolations', ban_hash = 'bans', ban_domain = 'bans'}" in lua
    assert "local CAP_WINDOWS = {isolations = 3600000, bans = 86400000}" in lua
    assert "local CLAIMABLE = {pending = true, performed = true, unknown = true}" in lua
    assert "local CANCELLABLE = {held = true, pending = true, waiting = true}" in lua


def test_what_destroys_something_once_is_known_as_that():
    destructive = [a_kill(), a_delete(), a_quarantine(), a_key_deletion()]
    assert {each.effect for each in destructive} == {Effect.DESTRUCTIVE}
    assert {each.effect for each in (an_isolate(), a_release(), a_hash_ban(), a_domain_ban())} == {Effect.STATE}
