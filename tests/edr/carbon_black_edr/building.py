"""The sensor that is acted on, as the adapter and as its twin know it, and what is asked of it."""

from __future__ import annotations

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.facts import Fact, Sight
from tests.builders import a_hash_ban, an_endpoint, hash_of
from tests.edr.rigs.base import FIRST
from tests.edr.rigs.carbon_black_edr import SENSORS

SEVEN = an_endpoint(edr=Vendor.CARBON_BLACK_EDR, agent_id="7")
NOTHING = Fact(sight=Sight.ABSENT)
MD5 = hash_of("md5", "evil")


def twin_endpoint(rig, name=FIRST):
    return rig.simulation.world.endpoint("acme", SENSORS[name])


def a_ban():
    return a_hash_ban(md5=MD5)
