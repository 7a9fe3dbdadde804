"""Decisions are people's: nobody approves what they asked for themselves where two are needed, and nobody lifts a pause without a key."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ar_workers.domain.errors import NotAllowed
from ar_workers.domain.events import ReleaseRequested
from ar_workers.domain.people import Decision, PersonRole
from ar_workers.domain.policies import Policy
from ar_workers.domain.seals import about_event, about_row
from ar_workers.domain.states import State
from ar_workers.ledger.redis import RedisLedger
from ar_workers.ledger.scripting import prefix
from ar_workers.pipeline.pauses import end_pauses
from ar_workers.pipeline.respond import respond
from ar_workers.seals import Seals
from tests.builders import NOON, an_endpoint
from tests.clocks import by_hand
from tests.keys import Everybody
from tests.ledger.building import a_row, claimed, recorded, refused
from tests.pipeline.building import FIN, published
from tests.security.forging import GROUPS, Scene, a_long_time_ago

LIFE = timedelta(days=1)
TWO = Policy(customer="acme", remediate_groups=GROUPS, isolations_per_hour=0, two_person=True)
PROTECTED = Policy(customer="acme", remediate_groups=GROUPS, protected_endpoints=frozenset({"FIN-1"}), two_person=True)


@pytest.fixture(params=[TWO, PROTECTED], ids=["what the ledger asks", "what the worker asks"])
def scene(request):
    """An isolation that failed, that kim has requeued, and that a guard holds then."""
    scene = Scene(request.param)
    scene.row_id = scene.planned()["isolate"]
    scene.work(scene.row_id)
    scene.guard = scene.ledger.row(scene.row_id).held_by
    return scene


def failed_and_requeued(scene, by="kim"):
    scene.redis.srem(f"{prefix('acme')}held", scene.row_id)
    scene.written(scene.row_id, state="failed")
    scene.ledger.requeue(scene.row_id, by=by, life=LIFE)
    scene.work(scene.row_id)
    assert scene.ledger.row(scene.row_id).state is State.HELD


def approved(scene, by):
    answer = scene.ledger.approve(scene.row_id, by=by, reason="yes", life=LIFE)
    scene.work(scene.row_id)
    return answer


def is_held(scene, why=""):
    row = scene.ledger.row(scene.row_id)
    assert (row.state, row.held_by, scene.effects) == (State.HELD, scene.guard, [])
    assert why in row.reason


def test_who_has_requeued_it_does_not_approve_it(scene):
    failed_and_requeued(scene)
    approved(scene, "kim")
    is_held(scene, "kim has asked for it and cannot approve it, too")
    approved(scene, "lee")
    assert scene.effects == [("isolate", "FIN-1")]


def test_what_only_its_source_has_asked_for_one_person_approves(scene):
    approved(scene, "kim")
    assert scene.effects == [("isolate", "FIN-1")]


def test_where_one_is_enough_who_asked_may_approve(scene):
    scene.services.policies["acme"] = scene.services.policies["acme"].model_copy(update={"two_person": False})
    failed_and_requeued(scene)
    approved(scene, "kim")
    assert scene.effects == [("isolate", "FIN-1")]


def requeue_word(scene, by, generation=2, people=None, row_id=None):
    seals = Seals(scene.ring, people=people or scene.people)
    return seals.word(Decision.REQUEUE, about_row(row_id or scene.row_id, generation), by=by) + "\n"


ASKED = {
    "nobody": lambda scene: "",
    "somebody else, by his word": lambda scene: "lee\n",
    "somebody else, by the word on another generation": lambda scene: requeue_word(scene, "lee", 1),
    "somebody else, by the word on another row": lambda scene: requeue_word(scene, "lee", row_id="acme:isolate:0123456789abcdef"),
    "somebody whose key nobody knows": lambda scene: requeue_word(scene, "mo", people=Everybody()),
    "somebody else, by name": lambda scene: scene.redis.hget(scene.key(scene.row_id), "decisions").replace("a2lt", "bGVl"),
}


@pytest.mark.parametrize("asked_by", ASKED.values(), ids=ASKED.keys())
def test_who_may_write_to_redis_does_not_make_it_look_as_if_somebody_else_had_asked(scene, asked_by):
    failed_and_requeued(scene)
    scene.written(scene.row_id, decisions=asked_by(scene))
    approved(scene, "kim")
    is_held(scene, "nobody can tell who asked for it again")


def test_an_approval_is_not_taken_out_of_another_generation(scene):
    scene.ledger.approve(scene.row_id, by="lee", reason="yes", life=LIFE)
    words = scene.redis.hget(scene.key(scene.row_id), "approvals")
    failed_and_requeued(scene)
    scene.written(scene.row_id, approved=f"{scene.guard},", approvals=words, state="pending", begun="0", next_at="0")
    scene.work(scene.row_id)
    assert scene.effects == []


def test_an_approval_of_long_ago_counts_no_more(scene):
    scene.ledger_with(now=a_long_time_ago).approve(scene.row_id, by="lee", reason="yes", life=LIFE)
    scene.work(scene.row_id)
    assert scene.effects == []


def test_an_approval_of_who_has_been_made_a_viewer_since_counts_no_more(scene):
    scene.ledger.approve(scene.row_id, by="lee", reason="yes", life=LIFE)
    scene.people.roles["lee"] = PersonRole.VIEWER
    scene.work(scene.row_id)
    assert scene.effects == []


@pytest.mark.parametrize("role", [PersonRole.VIEWER, PersonRole.RESPONDER])
def test_who_may_not_approve_signs_no_approval(scene, role):
    scene.people.roles["lee"] = role
    with pytest.raises(NotAllowed, match="may not approve: approver and admin may"):
        approved(scene, "lee")
    is_held(scene)


def test_every_decision_is_kept_with_the_row_and_signed(scene):
    failed_and_requeued(scene)
    scene.ledger.deny(scene.row_id, by="lee", reason="no")
    requeue, deny = scene.redis.hget(scene.key(scene.row_id), "decisions").splitlines()
    seals = Seals(scene.ring, people=scene.people)
    assert seals.said(Decision.REQUEUE, about_row(scene.row_id, 2), requeue).by == "kim"
    word = seals.said(Decision.DENY, about_row(scene.row_id, 2, scene.guard), deny)
    assert (word.by, word.reason) == ("lee", "no")


class Meanwhile:
    """The ledger's scripts, before one of which somebody else is quicker."""

    def __init__(self, scripts, script, change):
        self._scripts, self._script, self._change = scripts, script, change

    def __getattr__(self, name):
        return getattr(self._scripts, name)

    def run(self, name, *arguments):
        self._quicker(name)
        return self._scripts.run(name, *arguments)

    def run_on(self, key, name, *arguments):
        self._quicker(name)
        return self._scripts.run_on(key, name, *arguments)

    def _quicker(self, name):
        if name == self._script:
            self._script = ""
            self._change()


@pytest.mark.parametrize(
    ("decision", "state", "said"),
    [("deny", "held", "since a moment: say it again"), ("requeue", "failed", "has failed once more since a moment: say it again")],
)
def test_a_word_is_taken_only_on_the_row_that_was_seen(scene, decision, state, said):
    scene.written(scene.row_id, state=state)
    scene.ledger._scripts = Meanwhile(scene.ledger._known(), decision, lambda: scene.written(scene.row_id, generation="2"))
    more = {"reason": "no"} if decision == "deny" else {"life": LIFE}
    assert said in getattr(scene.ledger, decision)(scene.row_id, by="lee", **more).reason
    assert scene.redis.hmget(scene.key(scene.row_id), "state", "decisions") == [state, None]


# Pauses


@pytest.fixture(params=["acme", None], ids=["a customer's", "of everyone"])
def paused(request):
    """A kill switch that kim has closed, and a worker that has seen it."""
    scene = Scene()
    scene.whose, scene.key_of = request.param, "ar:{acme}:paused" if request.param else "ar:paused"
    recorded(scene.ledger, a_row(), a_row("isolate:2", lane="crowdstrike/a2"))
    scene.ledger.pause(scene.whose, "*", "stop", by="kim")
    assert refused(scene.ledger) == State.HELD
    return scene


def is_paused(scene):
    assert refused(scene.ledger, "acme:isolate:2") == State.HELD
    assert scene.ledger.row("acme:isolate:2").reason.endswith("stop")
    end_pauses(scene.services)
    assert [scene.ledger.row(f"acme:isolate:{n}").state for n in (1, 2)] == [State.HELD] * 2


def opened(scene, word):
    """Somebody deletes it, and writes who has opened it."""
    scene.redis.hdel(scene.key_of, "*")
    if word:
        scene.redis.hset(scene.key_of, "resumed *", word)


def resumed_by(scene, people=None, by="kim", **more):
    """The word of a resume, as it is kept, of the pause that this or another ledger shows."""
    ledger = scene.ledger_with(people=people, **more)
    before = scene.redis.hgetall(scene.key_of)
    ledger.resume(scene.whose, "*", by=by)
    word = scene.redis.hget(scene.key_of, "resumed *")
    scene.redis.delete(scene.key_of)
    scene.redis.hset(scene.key_of, mapping=before)
    scene.written("acme:isolate:1", state="held")
    scene.redis.sadd(f"{prefix('acme')}held", "acme:isolate:1")
    return word


def weakened(scene):
    """Somebody who may pause, and not resume, gives it an end."""
    scene.people.roles["mo"] = PersonRole.RESPONDER
    scene.ledger_with().pause(scene.whose, "*", "over", by="mo", until=scene.ledger.now())


LIFTS = {
    "deleting it": lambda scene: opened(scene, ""),
    "saying so": lambda scene: opened(scene, f"{10**13} kim"),
    "another's key": lambda scene: opened(scene, resumed_by(scene, people=Everybody())),
    "a word on another instant": lambda scene: opened(scene, resumed_by(scene).replace("17", "19", 1)),
    "writing another reason": lambda scene: scene.redis.hset(scene.key_of, "*", json.dumps({"by": "kim", "reason": "over", "words": "over", "since": 1, "until": 1})),
    "an end that nobody has signed": lambda scene: scene.redis.hset(
        scene.key_of, "*", json.dumps(json.loads(scene.redis.hget(scene.key_of, "*")) | {"until": 1})
    ),
    "an end by who may not resume": weakened,
}  # fmt: skip


@pytest.mark.parametrize("lift", LIFTS.values(), ids=LIFTS.keys())
def test_a_worker_that_has_seen_a_pause_goes_on_holding_after(paused, lift, caplog):
    lift(paused)
    is_paused(paused)
    told = [record for record in caplog.records if "opened by nobody who may" in record.message]
    assert len(told) == 1
    assert told[0].levelname == "CRITICAL"


def test_the_word_on_an_earlier_pause_opens_no_later_one(paused):
    paused.ledger.resume(paused.whose, "*", by="lee")
    word = paused.redis.hget(paused.key_of, "resumed *")
    paused.clock.advance(timedelta(minutes=1))
    paused.ledger.pause(paused.whose, "*", "stop", by="kim")
    for name in ("acme:isolate:1", "acme:isolate:2"):
        assert refused(paused.ledger, name) == State.HELD
    opened(paused, word)
    is_paused(paused)


def test_an_earlier_pause_takes_no_later_ones_place(paused):
    """It was over soon; who may write to Redis puts it back."""
    until = paused.ledger.now() + timedelta(minutes=1)
    paused.ledger.pause(paused.whose, "*", "short", by="lee", until=until)
    short = paused.redis.hget(paused.key_of, "*")
    paused.clock.advance(timedelta(seconds=1))
    paused.ledger.pause(paused.whose, "*", "stop", by="kim")
    assert refused(paused.ledger, "acme:isolate:2") == State.HELD
    paused.redis.hset(paused.key_of, "*", short)
    paused.clock.advance(timedelta(hours=1))
    is_paused(paused)


def test_a_pause_that_has_ended_is_over_and_nobody_is_alarmed(paused, caplog):
    paused.ledger.pause(paused.whose, "*", "stop", by="kim", until=paused.ledger.now() + timedelta(minutes=1))
    assert refused(paused.ledger, "acme:isolate:2") == State.HELD
    paused.clock.advance(timedelta(minutes=1))
    end_pauses(paused.services)
    assert paused.ledger.pauses(paused.whose) == {}
    claimed(paused.ledger)
    assert "opened by nobody" not in caplog.text


@pytest.mark.parametrize("by", ["kim", "lee"])
def test_who_may_opens_it(paused, by):
    paused.people.roles["lee"] = PersonRole.APPROVER
    assert [ring.id for ring in paused.ledger.resume(paused.whose, "*", by=by)] == ["acme:isolate:1"]
    claimed(paused.ledger)


def test_who_may_not_resume_opens_nothing(paused):
    paused.people.roles["lee"] = PersonRole.RESPONDER
    with pytest.raises(NotAllowed, match="lee is responder, and may not resume"):
        paused.ledger.resume(paused.whose, "*", by="lee")
    is_paused(paused)


def test_what_was_opened_and_closed_while_a_worker_looked_elsewhere_is_as_it_stands(paused):
    other = paused.ledger_with()
    for _ in range(2):
        paused.clock.advance(timedelta(minutes=1))
        other.resume(paused.whose, "*", by="kim")
        other.pause(paused.whose, "*", "again", by="mo", until=other.now() + timedelta(minutes=2))
    assert refused(paused.ledger, "acme:isolate:2") == State.HELD
    paused.clock.advance(timedelta(minutes=3))
    claimed(paused.ledger, "acme:isolate:1")


def test_to_open_what_only_workers_remember_it_is_closed_anew_and_opened(paused):
    opened(paused, "")
    is_paused(paused)
    paused.clock.advance(timedelta(seconds=1))
    paused.ledger.pause(paused.whose, "*", "stop", by="kim")
    paused.ledger.resume(paused.whose, "*", by="kim")
    claimed(paused.ledger)


def test_what_is_closed_anew_while_somebody_opens_it_is_opened_too(paused):
    def close():
        paused.ledger_with().pause(paused.whose, "*", "anew", by="lee")

    paused.ledger._scripts = Meanwhile(paused.ledger._known(), "open", close)
    paused.ledger.resume(paused.whose, "*", by="kim")
    assert paused.ledger.pauses(paused.whose) == {}
    claimed(paused.ledger)


def on_this_machine(scene, folder):
    """A worker that begins now, beside the command line of the same machine."""
    options = {"grace": timedelta(0), "switch_lives": timedelta(0), "watches_memory": False, "read_script": by_hand}
    return RedisLedger(scene.redis, seals=Seals(scene.ring, people=scene.people), notes_pauses_in=folder / "paused.json", **options)


def test_a_worker_that_begins_after_the_deletion_holds_what_was_closed_on_its_machine(paused, tmp_path):
    on_this_machine(paused, tmp_path).pause(paused.whose, "*", "stop", by="kim")
    opened(paused, "")
    worker = on_this_machine(paused, tmp_path)
    assert refused(worker, "acme:isolate:2") == State.HELD
    assert set(worker.pauses(paused.whose)) == {"*"}
    on_this_machine(paused, tmp_path).resume(paused.whose, "*", by="kim")
    claimed(worker, "acme:isolate:2")
    claimed(on_this_machine(paused, tmp_path), "acme:isolate:1")


def test_what_others_of_the_machine_have_opened_is_not_noted_any_more(paused, tmp_path):
    here = on_this_machine(paused, tmp_path)
    here.pause(paused.whose, "*", "stop", by="kim")
    paused.ledger_with().resume(paused.whose, "*", by="lee")
    claimed(here, "acme:isolate:2")
    assert json.loads((tmp_path / "paused.json").read_text()) == {paused.whose or "": {}}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"acme": 1}', '{"acme": {"*": "stop"}, "": {"*": "stop"}}'])
def test_what_nobody_has_signed_is_no_memory(paused, tmp_path, text):
    paused.ledger.resume(paused.whose, "*", by="kim")
    (tmp_path / "paused.json").write_text(text)
    claimed(on_this_machine(paused, tmp_path))


def test_a_machine_that_cannot_note_it_remembers_it_all_the_same(paused, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    here = on_this_machine(paused, tmp_path / "file")
    here.pause(paused.whose, "*", "stop", by="kim")
    assert "is not noted on this machine" in caplog.text
    opened(paused, "")
    assert refused(here, "acme:isolate:2") == State.HELD


def test_a_pause_that_nobody_has_signed_holds_and_anybody_may_have_written_it(paused):
    paused.ledger.resume(paused.whose, "*", by="kim")
    paused.redis.hset(paused.key_of, "*", "freeze")
    assert refused(paused.ledger) == State.HELD
    assert paused.ledger.pauses(paused.whose)["*"].is_signed is False


def test_of_a_pause_is_shown_whether_it_is_signed(paused):
    assert paused.ledger.pauses(paused.whose)["*"].is_signed is True
    text = json.loads(paused.redis.hget(paused.key_of, "*"))
    paused.redis.hset(paused.key_of, "*", json.dumps(text | {"by": "lee"}))
    assert paused.ledger_with().pauses(paused.whose)["*"].is_signed is False
    assert paused.ledger.pauses(paused.whose)["*"].by == "kim"  # as it was seen before


# Releases


def a_release(**more):
    plain = {
        "id": "r1", "customer": "acme", "occurred_at": NOON, "endpoint": an_endpoint("FIN-1", agent_id=FIN.agent_id), "requested_by": "kim",
        "reason": "false alarm",
    }  # fmt: skip
    return ReleaseRequested(**(plain | more))


def released(scene):
    respond(scene.services, ["acme:event/r1"])
    return [row.id for row in scene.ledger.rows("acme", a_release().threat_id) if row.verb == "release"]


def test_a_release_bears_the_seal_of_who_asked_for_it_and_no_other_is_needed():
    scene = Scene()
    del scene.ring.own[next(iter(scene.ring.own))]  # the door's
    scene.ledger.accept([a_release()], by="kim")
    assert len(released(scene)) == 1


@pytest.mark.parametrize("change", ["requested_by", "reason", "type"])
def test_a_release_that_somebody_has_changed_is_set_aside(change):
    scene = Scene()
    scene.ledger.accept([a_release()], by="kim")
    key = f"{prefix('acme')}event:r1"
    document = json.loads(scene.redis.hget(key, "json"))
    scene.redis.hset(key, "json", json.dumps(document | {change: "lee"}))
    assert released(scene) == []
    assert scene.redis.hget(key, "state") == "failed"


def test_a_persons_seal_is_good_for_nothing_but_their_own_release():
    scene = Scene()
    scene.ledger.accept([a_release(requested_by="lee")], by="kim")
    assert released(scene) == []
    assert scene.effects == []


@pytest.mark.parametrize("decision", [Decision.RELEASE, Decision.UNDO])
def test_a_persons_seal_publishes_no_threat(decision):
    scene = Scene()
    scene.ledger.accept([published()])
    key = f"{prefix('acme')}event:e1"
    about = about_event("acme", "e1", scene.redis.hget(key, "json"))
    scene.redis.hset(key, "seal", Seals(scene.ring, people=scene.people).word(decision, about, by="kim"))
    respond(scene.services, ["acme:event/e1"])
    assert (scene.redis.hget(key, "state"), scene.ledger.rows("acme", "THREAT-1")) == ("failed", [])


def test_a_viewer_releases_nothing():
    scene = Scene()
    scene.people.roles["kim"] = PersonRole.VIEWER
    with pytest.raises(NotAllowed, match="kim is viewer, and may not release"):
        scene.ledger.accept([a_release()], by="kim")
