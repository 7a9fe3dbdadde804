"""R4, R11, R14, R17, R18, R20 in short: what needs no fleet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers.ledger.clients import connect
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import source
from tests.chaos import floods, model, people, power
from tests.chaos.shims import compiler
from tests.clocks import a_ledger
from tests.keys import SEALS

pytestmark = pytest.mark.e2e
LEAST = timedelta(milliseconds=100)
QUICK = {"grace": timedelta(0), "least_remaining": LEAST}


def assert_sound(outcome):
    assert outcome.sound, f"{outcome.goal} seed {outcome.seed}: {outcome.counts}\n{outcome.evidence}"


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler for the shim that sees fsync")
def test_a_power_loss_takes_nothing_that_was_acknowledged(tmp_path):
    assert_sound(power.power_loss(tmp_path, 4, rounds=4, each=50, fsync="always"))


@pytest.mark.skipif(compiler() is None, reason="there is no C compiler for the shim that sees fsync")
def test_without_an_fsync_per_write_a_power_loss_is_seen_by_publishing_again(tmp_path):
    outcome = power.power_loss(tmp_path, 4, rounds=2, each=50, fsync="no")
    assert_sound(outcome)
    assert outcome.counts["lost"] > 0, "the method could not show a loss"


def test_one_event_published_thousands_of_times_is_one_set_of_actions(real_redis, redis_url):
    assert_sound(floods.one_event_again(real_redis, redis_url, 11, times=4000))


def assert_model_holds(new_ledger, *, examples):
    outcome = model.driven(new_ledger, "here", 14, examples=examples)
    assert_sound(outcome)


def test_the_ledger_in_redis_keeps_to_its_model(real_redis, redis_url):
    client = connect(redis_url)

    def emptied():
        client.flushall()
        return RedisLedger(client, switch_lives=timedelta(0), **QUICK, seals=SEALS)

    assert_model_holds(emptied, examples=20)


def test_the_ledger_in_fakeredis_keeps_to_its_model():
    assert_model_holds(lambda: a_ledger(least_remaining=LEAST), examples=30)


BROKEN = {
    "forgets fences": ("conclude", "if row.state ~= 'leased' or row.fence ~= found.fence then", "if row.state ~= 'leased' then"),
    "lets two rows work on one endpoint": ("claim", "return holder.owner and holder.owner ~= owner and", "return false and"),
}


@pytest.mark.parametrize(("script", "line", "broken"), BROKEN.values(), ids=BROKEN.keys())
def test_the_model_finds_a_broken_ledger(script, line, broken):
    def read(name):
        text = source(name)
        assert name != script or line in text
        return text.replace(line, broken) if name == script else text

    def is_found(seed):
        return not model.driven(lambda: a_ledger(least_remaining=LEAST, read_script=read), "broken", seed, examples=200).sound

    assert any(map(is_found, (14, 15, 16)))


def test_fifty_requeues_at_once_bring_a_row_back_once(real_redis, redis_url):
    assert_sound(people.requeue_race(RedisLedger(connect(redis_url), **QUICK, seals=SEALS), 18, rows=60, askers=50))


@pytest.mark.parametrize("moment", people.MOMENTS)
def test_a_late_isolation_never_undoes_a_release(real_redis, redis_url, moment):
    effects = people.human_release(RedisLedger(connect(redis_url), **QUICK, seals=SEALS), moment)
    assert [verb for verb, _ in effects][-1:] != ["isolate"], effects


def test_an_isolation_in_doubt_that_nobody_has_looked_at_for_long_is_not_asked_for_again():
    assert people.console_release(timedelta(minutes=11)) == ["isolate"]


def test_what_channels_missed_in_an_hour_is_told_soon_after():
    assert_sound(people.channels_down(17, hours=1, threats=20))
