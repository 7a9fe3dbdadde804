"""Where the EDR can, it looks through what it has cut off."""

from __future__ import annotations

import pytest

from ar_workers.automations import threat_published
from ar_workers.domain.endpoints import Vendor
from tests.builders import a_context, a_policy, a_threat_published, an_endpoint


@pytest.mark.parametrize(("edr", "verbs"), [(Vendor.TOY, ["isolate", "scan_endpoint"]), (Vendor.CROWDSTRIKE, ["isolate"])])
def test_an_endpoint_is_scanned_behind_its_isolation_where_the_edr_can(edr, verbs):
    policy = a_policy(remediate_groups={edr: frozenset({"Remediate"})})
    plan = threat_published.plan(a_threat_published(endpoints=(an_endpoint(edr=edr),)), a_context(policy=policy))
    assert [each.verb for each in plan.actions] == verbs
