"""What is in a customer's remediate groups: counted, and said in words that tell what to do."""

from __future__ import annotations

from ar_workers.domain.checkups import Check, Light
from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, VendorFault
from ar_workers.pipeline.checkup import groups_found
from tests.builders import an_endpoint

from .building import FIN, LINUX, an_edr


def found(edr, *groups, is_late=lambda: False):
    return list(groups_found(edr, groups or ["Remediate"], is_late=is_late))


class Failing:
    def __init__(self, error):
        self.error = error

    def members(self, group):
        raise self.error


def test_the_endpoints_of_each_group_are_counted_by_the_groups_names():
    first, second = found(an_edr(FIN), "Remediate", "Apart")
    assert first == Check(
        name="group Apart",
        light=Light.WARN,
        detail="no endpoint is in it: nothing will be acted on",
        fix="put endpoints into it, or mend `remediate_groups`",
    )
    assert second == Check(name="group Remediate", light=Light.OK, detail="1 endpoint")


def test_those_that_are_not_remediated_are_told_of():
    unknown = an_endpoint(os=OS.UNKNOWN, groups=frozenset({"Remediate"}))
    (check,) = found(an_edr(FIN, LINUX, unknown))
    assert check.detail == "3 endpoints, 2 of them with an OS that is not remediated or not known"


def test_a_count_that_takes_too_long_ends_and_says_so():
    (check,) = found(an_edr(FIN, LINUX), is_late=lambda: True)
    assert (check.light, check.detail) == (Light.WARN, "at least 1 endpoints: there was no time to count them all")


def test_a_group_that_is_refused_is_one_to_be_made_and_another_fault_is_none():
    (refused,), (away,) = found(Failing(Denied("no such group"))), found(Failing(VendorFault("503")))
    assert (refused.light, refused.detail, refused.fix) == (
        Light.RED,
        "no such group",
        "make the group at the EDR, or mend `remediate_groups`",
    )
    assert (away.light, away.detail, away.fix) == (Light.RED, "503", "")
