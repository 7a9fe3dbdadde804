"""From a wish to its end: what was done is taken back, once, verified, and never comes true again by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ar_workers.domain.errors import OutcomeUnknown, VendorFault
from ar_workers.domain.events import ThreatClosed, UndoRequested
from ar_workers.domain.indicators import IOC, File
from ar_workers.domain.policies import Mode
from ar_workers.domain.states import TERMINAL, State
from ar_workers.pipeline.execute import execute
from ar_workers.pipeline.ingest import ingest
from ar_workers.pipeline.respond import respond
from ar_workers.pipeline.sweep import sweep
from tests.builders import NOON, a_policy, capabilities
from tests.edr.rigs import RIGS
from tests.fakes import FakeEDR, some_services

from .building import DOMAIN, FIN, HASH, THREAT, an_edr, play, published, row, states


def banned(**more):
    services = some_services(edr=an_edr(), **more)
    play(services, published(iocs=(HASH, DOMAIN)))
    return services


def effects(services):
    return services.edrs["acme", "crowdstrike"].effects


def wish(services, *verbs, number=1, **more):
    rows = tuple(row(services, verb).id for verb in verbs)
    given = {"id": f"u-{number}", "customer": "acme", "occurred_at": NOON, "threat_ref": "THREAT-1", "requested_by": "kim", "reason": "no"}
    return UndoRequested(**(given | {"rows": rows} | more))


def false_positive(threat=THREAT):
    at = NOON + timedelta(minutes=5)
    return ThreatClosed(
        id=f"c-{threat.id}", customer="acme", occurred_at=at, threat=threat, reason="false_positive", is_false_positive=True
    )


def test_what_was_done_is_undone_and_verified():
    services = banned()
    play(services, wish(services, "isolate", "ban_hash", "ban_domain"))
    found = {verb: state for verb, (state, _) in states(services).items()}
    undos = {"release", "unban_hash", "unban_domain"}
    assert {verb: found[verb] for verb in undos} == dict.fromkeys(undos, State.DONE)
    assert {verb for verb, _, _ in services.edrs["acme", "crowdstrike"].so} == undos
    assert row(services, "unban_hash").evidence == "seen present"


def test_who_asked_and_why_stands_in_the_timeline():
    services = banned()
    play(services, wish(services, "ban_hash"))
    texts = [entry.text for entry in services.ledger.threat("acme", "THREAT-1").timeline]
    assert "accepted: kim asks to undo 1 action: no" in texts


def test_what_is_undone_is_not_undone_again_and_nothing_happens_twice():
    services = banned()
    play(services, wish(services, "ban_hash"))
    play(services, wish(services, "ban_hash", number=2))
    assert [verb for verb, _ in effects(services)].count("unban_hash") == 1
    assert row(services, "ban_hash").state is State.DONE
    skips = [each.reason for each in services.ledger.rows("acme", "THREAT-1") if each.state is State.SKIPPED]
    assert skips == ["is undone already, undone by kim"]


def test_the_kill_switch_lets_an_undo_pass():
    services = banned()
    services.ledger.pause("acme", "*", "change freeze")
    play(services, wish(services, "ban_hash"))
    assert row(services, "unban_hash").state is State.DONE


def test_a_domain_that_everybody_knows_is_unbanned_without_being_held():
    services = some_services(edr=an_edr())
    known = IOC(indicator=DOMAIN.indicator.model_copy(update={"domain": "crowdstrike.com"}), confirmed_malicious=True, safe_to_act=True)
    play(services, published(iocs=(known,)))
    held = row(services, "ban_domain")
    assert held.state is State.HELD
    services.doorbell.ring([services.ledger.approve(held.id, by="kim", reason="meant", life=timedelta(days=1))])
    play(services)
    play(services, wish(services, "ban_domain"))
    assert row(services, "unban_domain").state is State.DONE


#: When the undo is recorded, seen from the ban.
MOMENTS = ("queued", "in the call", "unknown without effect", "unknown after the effect", "accepted", "failed", "done")


@dataclass
class Interrupted(FakeEDR):
    """Something happens in the middle of the ban."""

    meanwhile: Callable[[], None] = lambda: None

    def perform(self, action, seen):
        if action.verb == "ban_hash":
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
        return super().perform(action, seen)


def at_moment(services, moment, ban, undo):
    edr, lost = services.edrs["acme", "crowdstrike"], OutcomeUnknown("no answer")
    match moment:
        case "in the call":

            def meanwhile():
                ingest(services.ledger, services.doorbell, [undo])
                services.doorbell.answer(services)

            edr.meanwhile = meanwhile
            execute(services, [ban])
        case "unknown without effect" | "unknown after the effect":
            lost.after_effect = moment == "unknown after the effect"
            edr.answers.append(lost)
            execute(services, [ban])
        case "accepted":
            edr.takes_effect = False
            execute(services, [ban])
            edr.takes_effect = True
        case "failed":
            edr.answers.extend(VendorFault("oops") for _ in range(40))
            for _ in range(40):
                execute(services, [ban])
                services.clock.advance(timedelta(minutes=30))
            edr.answers.clear()
        case "done":
            execute(services, [ban])


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_late_ban_never_undoes_its_undo(moment):
    services = some_services(edr=Interrupted(endpoints={FIN.agent_id: FIN}))
    services.ledger.accept([event := published(endpoints=(FIN,), iocs=(HASH,))])
    respond(services, [f"acme:event/{event.id}"])
    services.doorbell.rings.clear()
    ban = row(services, "ban_hash").id
    undo = wish(services, "ban_hash")
    at_moment(services, moment, ban, undo)
    play(services, undo)
    for _ in range(5):
        execute(services, [ban])
        services.clock.advance(timedelta(hours=1))
    play(services)
    edr = services.edrs["acme", "crowdstrike"]
    assert [each for each in edr.so if each[0] == "ban_hash"] == []
    assert row(services, "ban_hash").state in TERMINAL
    assert row(services, "unban_hash").state in TERMINAL - {State.FAILED}
    services.ledger.requeue(ban, by="sam", life=timedelta(days=1))
    play(services)
    assert [each for each in edr.so if each[0] == "ban_hash"] == []


def test_another_threat_bans_anew_what_was_undone():
    services = banned()
    play(services, wish(services, "ban_hash"))
    play(services, published(id="e2", threat=THREAT.model_copy(update={"id": "THREAT-2"}), iocs=(HASH,)))
    assert row(services, "ban_hash", "THREAT-2").state is State.DONE
    assert any(each[0] == "ban_hash" for each in services.edrs["acme", "crowdstrike"].so)


@pytest.mark.parametrize("is_by_policy", [True, False])
def test_a_false_positive_is_undone_by_policy_and_else_only_told(is_by_policy):
    policy = a_policy(undo_false_positives=is_by_policy)
    services = banned(policy=policy)
    play(services, false_positive())
    undos = [verb for verb, _ in effects(services) if verb in {"release", "unban_hash", "unban_domain"}]
    assert sorted(undos) == (["release", "unban_domain", "unban_hash"] if is_by_policy else [])
    (told,) = [each.notification for each in services.channels["tre", "slack"].sent if each.notification.kind == "threat_closed"]
    assert ("Is undone now" if is_by_policy else "Can be undone") in dict(told.facts)


def test_what_a_false_positive_had_not_asked_for_yet_is_asked_for_by_nobody():
    services = some_services(edr=an_edr(), policy=a_policy(undo_false_positives=True))
    ingest(services.ledger, services.doorbell, [published(iocs=(HASH,))])
    ref = services.doorbell.rings.popleft().id
    respond(services, [ref])
    services.doorbell.rings.clear()
    play(services, false_positive())
    assert effects(services) == []
    assert row(services, "unban_hash").reason == "the EDR was never asked for what is to be undone"


def test_what_another_open_threat_wants_outlives_a_false_positive():
    services = banned(policy=a_policy(undo_false_positives=True))
    play(services, published(id="e2", threat=THREAT.model_copy(update={"id": "THREAT-2"}), iocs=(HASH,)))
    play(services, false_positive())
    assert sorted(verb for verb, _ in effects(services) if verb in {"release", "unban_hash", "unban_domain"}) == ["unban_domain"]
    assert row(services, "release").reason.startswith("wanted by THREAT-2, too")


def test_a_false_positive_that_is_opened_again_is_acted_on_anew():
    services = banned(policy=a_policy(undo_false_positives=True))
    play(services, false_positive())
    play(services, published(id="e3", occurred_at=NOON + timedelta(hours=1), iocs=(HASH, DOMAIN)))
    assert {each[0] for each in services.edrs["acme", "crowdstrike"].so} == {"isolate", "ban_hash", "ban_domain"}


def test_of_a_customer_in_dry_run_it_is_rehearsed_unless_a_person_wants_it_for_real():
    services = banned()
    services.policies["acme"] = services.policies["acme"].model_copy(update={"mode": Mode.DRY_RUN})
    play(services, wish(services, "ban_hash"))
    assert row(services, "unban_hash").would
    play(services, wish(services, "ban_hash", number=2, for_real=True))
    assert [verb for verb, _ in effects(services)].count("unban_hash") == 1


@pytest.mark.parametrize("vendor", sorted(RIGS))
def test_at_every_vendor_what_was_done_is_undone_over_its_own_protocol(vendor):
    with RIGS[vendor]() as rig:
        rules = a_policy(remediate_groups={rig.vendor: frozenset({rig.groups[0]})}, file_response="quarantine")
        services = some_services(edr=rig.adapter, policy=rules, capabilities=capabilities())
        able = {cell.verb for cell in capabilities().cells if cell.edr == vendor and cell.means != "none"}
        action = rig.action("quarantine_file")
        iocs = [IOC(indicator=rig.action("ban_hash").hash, confirmed_malicious=True, safe_to_act=True)]
        if "unquarantine_file" in able:
            file = File(path=action.file.path, sha256=action.file.sha256)
            iocs.append(IOC(indicator=file, confirmed_malicious=True, safe_to_act=True, agent_id=rig.endpoint().agent_id))
        done = {"isolate", "ban_hash", *(("quarantine_file",) if "unquarantine_file" in able else ())}
        played(services, rig, published(endpoints=(rig.endpoint(),), iocs=tuple(iocs)))
        played(services, rig, wish(services, *sorted(done)))
        changed = [verb for verb, _ in rig.effects()]
        assert sorted(changed) == sorted([*done, *(({"isolate": "release"} | UNDO)[each] for each in done)])
        assert {each.state for each in services.ledger.rows("acme", "THREAT-1") if each.kind == "action"} == {State.DONE}


UNDO = {"ban_hash": "unban_hash", "quarantine_file": "unquarantine_file"}


def played(services, rig, event):
    ingest(services.ledger, services.doorbell, [event])
    for _ in range(12):
        services.doorbell.answer(services)
        rig.simulation.clock.advance(90)
        services.clock.advance(timedelta(minutes=6))
        sweep(services)
