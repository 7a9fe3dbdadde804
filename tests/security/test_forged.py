"""Who may write to Redis, and has no key, isolates nobody and approves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ar_workers.domain.actions import identity
from ar_workers.domain.errors import Unbelievable
from ar_workers.domain.events import ThreatClosed
from ar_workers.domain.guards import Guard
from ar_workers.domain.notifications import load_delivery
from ar_workers.domain.people import Decision, PersonRole
from ar_workers.domain.policies import Policy
from ar_workers.domain.seals import Role, about_row
from ar_workers.domain.states import State
from ar_workers.domain.verbs import Cap
from ar_workers.ledger.scripting import prefix
from ar_workers.pipeline.respond import respond
from ar_workers.seals import Seals
from tests.builders import NOON, a_release, an_endpoint, an_isolate
from tests.keys import Everybody, a_ring
from tests.pipeline.building import FIN, published
from tests.security.forging import GROUPS, Scene, a_long_time_ago

LIFE = timedelta(days=1)
NOT_SEALED, DOES_NOT_FIT, EXPIRED = "it has no seal", "its seal does not fit", "its seal is older than 30 days"
STRANGE = "its seal is by a key"


@pytest.fixture
def scene():
    return Scene()


def event_of(scene, event_id="e1", customer="acme"):
    return f"{prefix(customer)}event:{event_id}"


def copied(scene, source, target, **changes):
    scene.redis.hset(target, mapping=scene.redis.hgetall(source) | changes)


def respond_to(scene, ref="acme:event/e1"):
    respond(scene.services, [ref])


def is_set_aside(scene, why, event_id="e1", customer="acme"):
    """As failed, for this reason; and nothing was planned."""
    state, reason = scene.redis.hmget(event_of(scene, event_id, customer), "state", "reason")
    scene.play()
    assert (state, reason.startswith("security: "), why in reason) == ("failed", True, True), reason
    assert [row for row in scene.ledger.rows(customer, "THREAT-1") if row.kind == "action"] == []
    assert scene.effects == []


def test_what_nobody_touches_is_carried_out(scene):
    rows = scene.planned()
    scene.work(*rows.values())
    assert sorted(verb for verb, _ in scene.effects) == ["ban_hash", "isolate", "kill_process"]


def test_an_event_that_somebody_has_written_is_set_aside_and_told_in_the_log(scene, caplog):
    text = published().model_dump_json()
    forged = {"digest": published().checksum, "json": text, "state": "accepted", "at": 1, "threat": "THREAT-1"}
    scene.redis.hset(event_of(scene), mapping=forged)
    respond_to(scene)
    is_set_aside(scene, NOT_SEALED)
    assert [record.levelname for record in caplog.records if "acme:event/e1" in record.message] == ["CRITICAL"]


def test_people_are_told_of_the_first_event_of_a_day_that_is_not_believed(scene):
    for event_id in ("e1", "e2"):
        text = published(id=event_id).model_dump_json()
        scene.redis.hset(event_of(scene, event_id), mapping={"json": text, "state": "accepted", "at": 1, "threat": "THREAT-1"})
        respond_to(scene, f"acme:event/{event_id}")
    scene.play()
    (slack,) = (row for row in scene.ledger.rows("acme", "security") if row.verb == "slack")
    note = load_delivery(scene.redis.hget(scene.key(slack.id), "order")).notification
    assert (slack.state, note.headline.startswith("security: "), dict(note.facts)["Event"]) == ("done", True, "e1")


def test_an_event_is_set_aside_once_it_says_something_else(scene):
    scene.ledger.accept([published()])
    text = scene.redis.hget(event_of(scene), "json")
    scene.redis.hset(event_of(scene), "json", text.replace("FIN-1", "FIN-2"))
    respond_to(scene)
    is_set_aside(scene, DOES_NOT_FIT)


@pytest.mark.parametrize("text", ["", "{}", "\x00", '{"type": "threat_published"}', '{"type": "action_stopped"}'])
def test_an_event_that_cannot_be_read_costs_only_itself(scene, text):
    scene.ledger.accept([published(), published(id="e2")])
    scene.redis.hset(event_of(scene), "json", text)
    respond(scene.services, ["acme:event/e1", "acme:event/e2"])
    assert scene.redis.hget(event_of(scene, "e2"), "state") == "planned"
    assert scene.redis.hget(event_of(scene), "state") == ("failed" if text else "accepted")


def test_a_sealed_event_of_a_later_version_waits_for_a_worker_that_can_read_it(scene):
    text = published().model_dump_json().replace('"threat_published"', '"threat_foreseen"')
    sealed = Seals(scene.ring, people=scene.people).events([("acme", "e1", text)])[0]
    scene.redis.hset(event_of(scene), mapping={"json": text, "seal": sealed, "state": "accepted", "at": 1, "threat": "THREAT-1"})
    respond_to(scene)
    assert scene.redis.hmget(event_of(scene), "state", "attempts") == ["accepted", "1"]


@pytest.mark.parametrize(("customer", "event_id"), [("globex", "e1"), ("acme", "e2"), ("globex", "e2")])
def test_an_event_is_set_aside_under_another_customer_or_id(scene, customer, event_id):
    scene.ledger.accept([published()])
    scene.redis.rename(event_of(scene), event_of(scene, event_id, customer))
    respond_to(scene, f"{customer}:event/{event_id}")
    is_set_aside(scene, DOES_NOT_FIT, event_id, customer)


def test_an_event_whose_customer_was_changed_with_its_place_is_set_aside(scene):
    scene.ledger.accept([published()])
    text = scene.redis.hget(event_of(scene), "json").replace('"acme"', '"globex"')
    scene.redis.rename(event_of(scene), event_of(scene, customer="globex"))
    scene.redis.hset(event_of(scene, customer="globex"), "json", text)
    respond_to(scene, "globex:event/e1")
    is_set_aside(scene, DOES_NOT_FIT, customer="globex")


def test_an_event_of_long_ago_is_set_aside(scene):
    scene.ledger_with(now=a_long_time_ago).accept([published()])
    respond_to(scene)
    is_set_aside(scene, EXPIRED)


@pytest.mark.parametrize("role", [Role.RESPOND])
def test_an_event_that_another_role_has_sealed_is_set_aside(scene, role):
    thief = a_ring()
    thief.own[Role.DOOR] = scene.ring.own[role]
    scene.ledger_with(thief).accept([published()])
    respond_to(scene)
    is_set_aside(scene, STRANGE)


def test_an_event_that_was_set_aside_comes_in_when_it_is_published_again(scene):
    scene.ledger.accept([published()])
    scene.redis.hset(event_of(scene), "json", published(endpoints=()).model_dump_json())
    respond_to(scene)
    assert scene.ledger.accept([published()]) == ["accepted"]
    respond_to(scene)
    scene.play()
    assert ("isolate", "FIN-1") in scene.effects


def test_what_the_ledger_says_of_itself_needs_no_seal(scene):
    rows = scene.planned()
    scene.edr.endpoints.clear()
    scene.work(rows["isolate"])
    scene.play()
    told = [row for row in scene.ledger.rows("acme", "THREAT-1") if row.kind == "delivery"]
    assert any(row.state is State.DONE and "action_needed" in row.subject for row in told)


class Seen:
    """The row of an isolation, as somebody finds it in Redis."""

    WORDS = ("key", "at", "by", "index", "of", "path", "event")

    def __init__(self, scene, rows):
        self.order, seal = scene.redis.hmget(scene.key(rows["isolate"]), "order", "seal")
        self.words = dict(zip(self.WORDS, seal.split(" ", 6), strict=True))
        self.another_rows = scene.redis.hget(scene.key(rows["ban_hash"]), "seal")
        self.doors_key = scene.ring.trusted[Role.DOOR].id

    def seal(self, **words):
        return {"seal": " ".join(map(str, (self.words | words).values()))}

    def number(self, word, more):
        return self.seal(**{word: int(self.words[word]) + more})


OTHER_PC = an_endpoint("FIN-3", agent_id="a3")
OTHER = an_isolate(an_endpoint("FIN-2", agent_id="a9")).model_dump_json()
#: What somebody may write into a row, and what is said of it.
CHANGES = {
    "order": (lambda _: {"order": OTHER}, DOES_NOT_FIT),
    "one byte of the order": (lambda seen: {"order": seen.order.replace("FIN-1", "FIN-7")}, DOES_NOT_FIT),
    "no order": (lambda _: {"order": ""}, DOES_NOT_FIT),
    "verb": (lambda _: {"verb": "release"}, DOES_NOT_FIT),
    "verb and order": (lambda _: {"verb": "release", "order": a_release().model_dump_json()}, DOES_NOT_FIT),
    "edr": (lambda _: {"edr": "defender"}, DOES_NOT_FIT),
    "lane": (lambda _: {"lane": "crowdstrike/a9"}, DOES_NOT_FIT),
    "remote": (lambda _: {"remote": "defender"}, DOES_NOT_FIT),
    "kind": (lambda _: {"kind": "delivery"}, DOES_NOT_FIT),
    "threat": (lambda _: {"threat": "THREAT-2"}, DOES_NOT_FIT),
    "no seal": (lambda _: {"seal": ""}, NOT_SEALED),
    "a blank": (lambda _: {"seal": " "}, DOES_NOT_FIT),
    "the seal of another row": (lambda seen: {"seal": seen.another_rows}, DOES_NOT_FIT),
    "a shorter path": (lambda seen: seen.seal(path=seen.words["path"][:44]), DOES_NOT_FIT),
    "a longer path": (lambda seen: seen.seal(path=seen.words["path"].rstrip("=") * 4), DOES_NOT_FIT),
    "no path": (lambda seen: seen.seal(path=""), DOES_NOT_FIT),
    "another index": (lambda seen: seen.number("index", 1), DOES_NOT_FIT),
    "an index below all": (lambda seen: seen.seal(index=-1), DOES_NOT_FIT),
    "an index beyond all": (lambda seen: seen.seal(index=10**30), DOES_NOT_FIT),
    "another count": (lambda seen: seen.number("of", 1), DOES_NOT_FIT),
    "alone": (lambda seen: seen.seal(index=0, of=1, path=""), DOES_NOT_FIT),
    "another event": (lambda seen: seen.seal(event="e2"), DOES_NOT_FIT),
    "younger": (lambda seen: seen.number("at", 1), DOES_NOT_FIT),
    "an odd time": (lambda seen: seen.seal(at="soon"), DOES_NOT_FIT),
    "another signature": (lambda seen: seen.seal(by=("B" if seen.words["by"][0] == "A" else "A") + seen.words["by"][1:]), DOES_NOT_FIT),
    "no base64": (lambda seen: seen.seal(by="!"), DOES_NOT_FIT),
    "an unknown key": (lambda seen: seen.seal(key="0" * 16), STRANGE),
    "the door's key": (lambda seen: seen.seal(key=seen.doors_key), STRANGE),
}


def is_tampered(scene, row_id, why):
    """It has failed for this reason, people are asked to look, and the EDR was not."""
    scene.work(row_id)
    state, reason = scene.fate(row_id)
    assert (state, reason.startswith("security: nothing was asked: "), why in reason) == ("failed", True, True), reason
    assert scene.redis.hget(scene.key(row_id), "cause") == "tampered"
    assert scene.effects == []


@pytest.mark.parametrize(("change", "why"), CHANGES.values(), ids=CHANGES.keys())
def test_a_row_that_somebody_has_changed_is_not_acted_on(scene, change, why, caplog):
    rows = scene.planned()
    scene.written(rows["isolate"], **change(Seen(scene, rows)))
    is_tampered(scene, rows["isolate"], why)
    assert "CRITICAL" in [record.levelname for record in caplog.records]


def test_of_a_row_that_somebody_has_changed_people_are_told(scene):
    rows = scene.planned()
    scene.written(rows["isolate"], order=OTHER)
    scene.work(rows["isolate"])
    scene.play()
    told = [each.notification for channel in scene.services.channels.values() for each in channel.sent]
    assert any("security:" in dict(note.facts).get("Reason", "") and "changed the ledger" in note.body for note in told)


@pytest.mark.parametrize("name", ["acme:isolate:0123456789abcdef", "acme:isolate:0123456789abcdef.2"])
def test_a_row_is_not_acted_on_under_another_id(scene, name):
    rows = scene.planned()
    copied(scene, scene.key(rows["isolate"]), scene.key(name))
    is_tampered(scene, name, DOES_NOT_FIT)


def test_a_row_is_not_acted_on_among_another_customers_keys(scene):
    rows = scene.planned()
    name = rows["isolate"].replace("acme", "globex")
    copied(scene, scene.key(rows["isolate"]), scene.key(name))
    is_tampered(scene, name, DOES_NOT_FIT)
    other = rows["ban_hash"].replace("acme", "globex")
    order = scene.redis.hget(scene.key(rows["ban_hash"]), "order").replace("acme", "globex")
    copied(scene, scene.key(rows["ban_hash"]), scene.key(other), order=order)
    is_tampered(scene, other, DOES_NOT_FIT)


def test_a_row_that_somebody_has_made_up_is_not_acted_on(scene):
    action = an_isolate(FIN)
    name = identity(action)
    scene.written(
        name, kind="action", verb="isolate", edr="crowdstrike", remote="crowdstrike", lane="crowdstrike/a1", order=action.model_dump_json(),
        threat="THREAT-1", queue="isolation", label="isolate", subject="FIN-1", state="pending", deadline="9999999999999", epoch="0", fence="0",
        generation="1", created_at="1", waits="0", next_at="0",
    )  # fmt: skip
    is_tampered(scene, name, NOT_SEALED)


def test_a_row_of_another_plan_does_not_come_in_with_the_seal_of_its_place(scene):
    rows = scene.planned(
        published(), published(id="e2", threat=published().threat.model_copy(update={"id": "THREAT-2"}), endpoints=(OTHER_PC,))
    )
    second = next(row.id for row in scene.ledger.rows("acme", "THREAT-2") if row.verb == "isolate")
    scene.written(rows["isolate"], seal=scene.redis.hget(scene.key(second), "seal"))
    is_tampered(scene, rows["isolate"], DOES_NOT_FIT)


def test_a_plan_of_long_ago_is_not_carried_out(scene):
    rows = scene.planned(by=None)
    old = Scene(now=a_long_time_ago)
    stale = old.planned()
    old.services = replace(old.services, ledger=old.ledger_with())
    is_tampered(old, stale["isolate"], EXPIRED)
    scene.work(rows["isolate"])
    assert scene.effects == [("isolate", "FIN-1")]


@pytest.mark.parametrize("role", [Role.DOOR, None])
def test_a_plan_that_is_sealed_by_another_roles_key_is_not_carried_out(role):
    scene = Scene()
    thief = a_ring()
    if role:
        thief.own[Role.RESPOND] = scene.ring.own[role]
    thief.own[Role.DOOR], thief.trusted = scene.ring.own[Role.DOOR], scene.ring.trusted
    services, scene.services = scene.services, replace(scene.services, ledger=scene.ledger_with(thief))
    rows = scene.planned()
    scene.services = services
    is_tampered(scene, rows["isolate"], STRANGE)


def test_a_threat_that_is_published_again_is_acted_on_though_somebody_has_changed_its_rows(scene):
    rows = scene.planned()
    scene.written(rows["isolate"], order=OTHER)
    is_tampered(scene, rows["isolate"], DOES_NOT_FIT)
    scene.planned(published(id="e2"))
    scene.play()
    assert scene.fate(rows["isolate"] + ".2") == ("done", "")
    assert [effect for effect in scene.effects if effect[0] == "isolate"] == [("isolate", "FIN-1")]


def test_a_row_that_a_closed_threat_leaves_to_another_keeps_its_seal(scene):
    scene.planned(published(), published(id="e2", threat=published().threat.model_copy(update={"id": "THREAT-2"})))
    closed = ThreatClosed(id="c1", customer="acme", occurred_at=NOON + timedelta(minutes=1), threat=published().threat, reason="over")
    scene.planned(closed)
    heir = next(row for row in scene.ledger.rows("acme", "THREAT-2") if row.verb == "isolate")
    assert heir.threat_id == "THREAT-2"
    scene.work(heir.id)
    assert scene.effects == [("isolate", "FIN-1")]


HELD = {
    Guard.PROTECTED: Policy(customer="acme", remediate_groups=GROUPS, protected_endpoints=frozenset({"FIN-1"})),
    Guard.BLAST_RADIUS: Policy(customer="acme", remediate_groups=GROUPS, isolations_per_hour=0),
}


@pytest.fixture(params=HELD)
def held(request):
    """An isolation that a guard holds."""
    scene = Scene(HELD[request.param])
    scene.row_id, scene.guard = scene.planned()["isolate"], request.param
    scene.work(scene.row_id)
    assert (scene.ledger.row(scene.row_id).state, scene.ledger.row(scene.row_id).held_by) == (State.HELD, request.param)
    return scene


def let_pass_by_somebody(scene, **fields):
    """Somebody lets the row pass, and makes it due."""
    more = {"approved": f"{scene.guard},", "state": "pending", "begun": "0", "next_at": "0"}
    scene.written(scene.row_id, **(more | fields))
    scene.work(scene.row_id)


def is_not_passed(scene):
    """What the ledger asks itself has failed; what the worker asks is held again."""
    state, reason = scene.fate(scene.row_id)
    if scene.guard is Guard.BLAST_RADIUS:
        assert (state, reason.startswith("security: nothing was asked: somebody let it pass blast_radius")) == ("failed", True), reason
    else:
        assert (state, scene.ledger.row(scene.row_id).held_by) == ("held", scene.guard)
    assert scene.effects == []


@pytest.mark.parametrize("bring_back", ["approve", "requeue"])
def test_what_a_person_lets_pass_is_carried_out(held, bring_back):
    more = {"reason": "by phone: it is ours, und \u00fcber alles"} if bring_back == "approve" else {}
    getattr(held.ledger, bring_back)(held.row_id, by="kim", life=LIFE, **more)
    held.work(held.row_id)
    assert held.effects == [("isolate", "FIN-1")]


@pytest.mark.parametrize("approvals", ["", "\n", "yes\n", " protected ", " blast_radius "])
def test_nothing_passes_by_a_word_that_nobody_has_sealed(held, approvals):
    let_pass_by_somebody(held, approvals=approvals)
    is_not_passed(held)


def word_on(scene, row_id=None, generation=1, guard=None, people=None, by="kim", **more):
    seals = Seals(scene.ring, people=people or scene.people, **more)
    return seals.approval(row_id or scene.row_id, generation, guard or scene.guard, by=by, reason="by phone") + "\n"


def test_a_word_that_is_sealed_lets_it_pass(held):
    let_pass_by_somebody(held, approvals=word_on(held))
    assert held.effects == [("isolate", "FIN-1")]


def with_key_of(scene, role):
    """Somebody who calls himself kim, and has the key of a process, or one of his own."""
    thief = Everybody()
    if role:
        thief.keys["kim"] = scene.ring.own[role]
    return thief


def known_as(scene, name, role):
    """Somebody who is known by another name, and says to be kim."""
    thief, mine = Everybody(), scene.people
    thief.keys["kim"], mine.roles[name] = mine.key(name), role
    return thief


def as_admin(scene, name, role):
    """A key that is known, and whose owner takes himself for an admin."""
    thief = Everybody()
    thief.keys[name], scene.people.roles[name] = scene.people.key(name), role
    return thief


def requeue_of(scene):
    """Another decision on the same row, by who may, given out as one on the guard."""
    seals = Seals(scene.ring, people=scene.people)
    word = seals.word(Decision.REQUEUE, about_row(scene.row_id, 1, scene.guard), by="kim", reason="by phone")
    return word.replace(f" {Decision.REQUEUE} ", f" {scene.guard} ") + "\n"


WORDS = {
    "another row": lambda scene: word_on(scene, row_id="acme:isolate:0123456789abcdef"),
    "another customer's row": lambda scene: word_on(scene, row_id=scene.row_id.replace("acme", "globex")),
    "another generation": lambda scene: word_on(scene, generation=2),
    "another guard": lambda scene: word_on(scene, guard=Guard.IN_DOUBT),
    "another guard, renamed": lambda scene: word_on(scene, guard=Guard.IN_DOUBT).replace("in_doubt", scene.guard),
    "long ago": lambda scene: word_on(scene, now=a_long_time_ago),
    "the door": lambda scene: word_on(scene, people=with_key_of(scene, Role.DOOR)),
    "who plans": lambda scene: word_on(scene, people=with_key_of(scene, Role.RESPOND)),
    "nobody known": lambda scene: word_on(scene, people=with_key_of(scene, None)),
    "somebody who may not": lambda scene: word_on(scene, people=as_admin(scene, "lee", PersonRole.RESPONDER), by="lee"),
    "somebody under another name": lambda scene: word_on(scene, people=known_as(scene, "lee", PersonRole.ADMIN)),
    "somebody who was taken out": lambda scene: word_on(scene, people=Everybody(), by="mo"),
    "a requeue": requeue_of,
    "half of it": lambda scene: word_on(scene).rpartition(" ")[0],
    "another reason": lambda scene: f"{word_on(scene).rpartition(' ')[0]} bm8=",
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS.keys())
def test_nothing_passes_by_a_word_of_or_on(held, word):
    let_pass_by_somebody(held, approvals=word(held))
    is_not_passed(held)


def test_a_word_on_an_earlier_generation_counts_no_more(held):
    held.ledger.approve(held.row_id, by="kim", reason="yes", life=LIFE)
    word = held.redis.hget(held.key(held.row_id), "approvals")
    held.written(held.row_id, state="failed")
    held.ledger.requeue(held.row_id, by="kim", life=LIFE)
    assert held.redis.hget(held.key(held.row_id), "approvals") is None
    let_pass_by_somebody(held, approvals=word)
    is_not_passed(held)


def test_a_word_is_taken_only_on_the_guard_that_was_seen(held):
    """The row moved between the look and the word: the script refuses."""
    scripts, run = held.ledger._known(), held.ledger._known().run

    class Meanwhile:
        def __getattr__(self, name):
            return getattr(scripts, name)

        def run(self, name, *arguments):
            if name == "requeue":
                held.written(held.row_id, held_by=Guard.WELL_KNOWN)
            return run(name, *arguments)

    held.ledger._scripts = Meanwhile()
    refusal = held.ledger.approve(held.row_id, by="kim", reason="yes", life=LIFE)
    assert refusal.reason == "is held by well_known since a moment: say it again"


def test_what_is_written_between_the_claim_and_the_write_opens_no_guard():
    scene = Scene()
    row_id = scene.planned()["isolate"]
    claim = scene.ledger.claim([row_id], owner="one", lease=LIFE, caps={})[0]
    scene.written(row_id, approved="blast_radius,")
    scene.redis.zrem(f"{prefix('acme')}isolations", row_id)
    assert scene.ledger.begin(claim, caps={Cap.ISOLATIONS: 0}).reason == "held"


def test_a_digest_leaves_out_what_somebody_has_put_into_it(scene, caplog):
    scene.planned()
    note = next(row.id for row in scene.ledger.rows("acme", "THREAT-1") if row.verb == "slack")
    forged = "acme:slack:0123456789abcdef"
    copied(scene, scene.key(note), scene.key(forged))
    scene.redis.rpush(f"{scene.key(note)}:gathered", note, forged)
    assert len(scene.ledger.gathered(note)) == 1
    assert f"{forged} is left out" in caplog.text


def test_a_cursor_that_somebody_has_moved_is_not_read_from(scene):
    assert scene.ledger.cursor("acme", "crowdstrike") == ""
    assert scene.ledger.move_cursor("acme", "crowdstrike", "", "today")
    assert scene.ledger.cursor("acme", "crowdstrike") == "today"
    scene.redis.hset(f"{prefix('acme')}cursors", "crowdstrike", "ten years ago")
    with pytest.raises(Unbelievable, match="HDEL ar:{acme}:cursors crowdstrike"):
        scene.ledger.cursor("acme", "crowdstrike")
    scene.redis.hset(f"{prefix('acme')}cursors", "defender", "today")
    scene.redis.hset(f"{prefix('acme')}cursors:seals", "defender", scene.redis.hget(f"{prefix('acme')}cursors:seals", "crowdstrike"))
    with pytest.raises(Unbelievable):
        scene.ledger.cursor("acme", "defender")
