"""What a version without seals has written: refused with a reason, or acted on where an upgrade allows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ar_workers import tasks
from ar_workers.bootstrap import use
from ar_workers.domain.policies import Policy
from ar_workers.domain.seals import Role
from ar_workers.ledger.scripting import prefix
from ar_workers.pipeline.respond import respond
from ar_workers.seals import Seals, keyring_of
from ar_workers.seals.checkup import keys_checks
from tests.fakes import some_services
from tests.pipeline.building import published
from tests.security.forging import GROUPS, Scene

BLIND = Policy(customer="acme", remediate_groups=GROUPS, isolations_per_hour=0)


def written_before(scene):
    """An event, and a plan's rows, as a version without seals leaves them."""
    rows = scene.planned()
    scene.ledger.accept([published(id="e2", endpoints=())])
    for key in (f"{prefix('acme')}event:e2", *map(scene.key, rows.values())):
        scene.redis.hdel(key, "seal")
    return rows


def test_what_was_written_before_there_were_seals_is_refused_with_a_reason_and_not_lost():
    scene = Scene()
    rows = written_before(scene)
    respond(scene.services, ["acme:event/e2"])
    scene.work(*rows.values())
    assert scene.effects == []
    reasons = [scene.fate(each)[1] for each in rows.values()] + [scene.redis.hget(f"{prefix('acme')}event:e2", "reason")]
    assert all("it has no seal" in each and "AR_UNSEALED" in each for each in reasons)


def test_an_upgrade_goes_on_with_it_where_that_is_allowed():
    scene = Scene(allows_unsealed=True)
    rows = written_before(scene)
    respond(scene.services, ["acme:event/e2"])
    scene.work(*rows.values())
    assert scene.redis.hget(f"{prefix('acme')}event:e2", "state") == "planned"
    assert {"isolate", "ban_hash"} <= {verb for verb, _ in scene.effects}


def test_an_approval_of_before_counts_where_that_is_allowed():
    scene = Scene(BLIND, allows_unsealed=True)
    row_id = scene.planned()["isolate"]
    scene.work(row_id)
    scene.ledger.approve(row_id, by="kim", reason="yes", life=timedelta(days=1))
    scene.redis.hdel(scene.key(row_id), "approvals")
    scene.work(row_id)
    assert scene.effects == [("isolate", "FIN-1")]


def test_where_it_is_allowed_a_seal_that_does_not_fit_is_still_refused():
    scene = Scene(allows_unsealed=True)
    row_id = scene.planned()["isolate"]
    scene.written(row_id, lane="crowdstrike/a9")
    scene.work(row_id)
    assert (scene.fate(row_id)[0], scene.effects) == ("failed", [])


def test_a_worker_that_cannot_tell_what_is_sealed_does_not_start(tmp_path):
    environ = {"AR_KEYS": str(tmp_path)}
    use(some_services(ledger=Scene().ledger_with(keyring_of(environ))))
    with pytest.raises(SystemExit, match=r"trusted\.json cannot be read"):
        tasks.refuse_wrong_settings()
    keyring_of(environ).make()
    tasks.refuse_wrong_settings()


class Worker:
    """What Celery says of a worker when it begins."""

    def __init__(self, *queues):
        self.app = self.amqp = self.queues = self
        self.consume_from = dict.fromkeys(queues)


def test_a_worker_without_its_own_key_does_not_start(tmp_path):
    ring = keyring_of({"AR_KEYS": str(tmp_path)})
    ring.make()
    ring.path(Role.RESPOND).unlink()
    use(some_services(ledger=Scene().ledger_with(ring)))
    for queues in (("isolation",), ("ioc", "notify"), ("polling",), ("housekeeping",)):
        tasks.refuse_wrong_settings(sender=Worker(*queues))
    with pytest.raises(SystemExit, match=r"respond\.key cannot be read"):
        tasks.refuse_wrong_settings(sender=Worker("respond"))


def test_nothing_is_taken_by_a_worker_that_cannot_tell_what_is_sealed(tmp_path):
    scene = Scene()
    row_id = scene.planned()["isolate"]
    blind = scene.ledger_with(keyring_of({"AR_KEYS": str(tmp_path)}))
    for asked in (lambda: blind.claim([row_id], owner="one", lease=timedelta(minutes=1), caps={}), lambda: blind.events(["acme:event/e1"])):
        with pytest.raises(Exception, match=r"trusted\.json"):
            asked()
    assert scene.fate(row_id)[0] == "pending"


def lights(environ):
    return {check.name: str(check.light) for check in keys_checks(environ)}


def test_doctor_says_how_the_keys_are(tmp_path):
    environ = {"AR_HOME": str(tmp_path)}
    assert lights(environ) == {"keys": "warn"}
    assert not (tmp_path / "keys").exists()
    ring = keyring_of(environ)
    ring.make()
    assert lights(environ) == dict.fromkeys(Role, "ok") | {"people": "warn"}
    ring.path(Role.DOOR).chmod(0o644)
    ring.path(Role.RESPOND).unlink()
    told = dict.fromkeys(Role, "ok") | {"door": "red", "people": "warn", "AR_UNSEALED": "warn"}
    assert lights(environ | {"AR_UNSEALED": "allow"}) == told
    (ring.folder / "trusted.json").write_text("{}")
    assert lights(environ) == dict.fromkeys(Role, "red") | {"people": "warn"}
    assert lights({"AR_KEYS": str(tmp_path / "none")}) == {"keys": "red"}


def test_no_key_is_in_redis_or_in_what_is_told(caplog):
    scene = Scene()
    scene.planned()
    scene.play()
    kept = "".join(str(scene.redis.hgetall(key)) for key in scene.redis.keys() if scene.redis.type(key) == "hash")
    for key in scene.ring.own.values():
        raw = key.private_bytes_raw()
        assert raw.hex() not in kept + caplog.text
    assert Seals(scene.ring, people=scene.people).events([("acme", "e1", "{}")])[0].count(" ") == 5
