"""The re-check of unsupported OS at every EDR, in the words that each has for an operating system."""

from __future__ import annotations

import pytest

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.policies import Policy
from ar_workers.pipeline.recheck import TICK, recheck_unsupported_os, whose_turn_it_is
from ar_workers.simulator import Fault
from tests.builders import capabilities
from tests.edr.rigs import RIGS
from tests.edr.rigs.base import FIRST
from tests.fakes import some_services

#: Vendor -> where an endpoint's facts name its system, and the vendor's word -> what we make of it.
WORDS = {
    Vendor.CARBON_BLACK_CLOUD: (
        "os",
        {"WINDOWS": OS.WINDOWS, "MAC": OS.MACOS, "LINUX": OS.LINUX, "OTHER": OS.UNKNOWN, "ANDROID": OS.UNKNOWN},
    ),
    Vendor.CARBON_BLACK_EDR: (
        "os_environment_display_string",
        {
            "Windows 10 Server Standard, 64-bit": OS.WINDOWS,
            "Mac OSX 10.13.6": OS.MACOS,
            "CentOS 7.9": OS.LINUX,
            "Red Hat Enterprise Linux 8.4": OS.LINUX,
            "SunOS 5.11": OS.UNKNOWN,
        },
    ),
    Vendor.CORTEX_XDR: (
        "os_type",
        {
            "AGENT_OS_WINDOWS": OS.WINDOWS,
            "AGENT_OS_MAC": OS.MACOS,
            "AGENT_OS_MACOS": OS.MACOS,
            "AGENT_OS_LINUX": OS.LINUX,
            "AGENT_OS_ANDROID": OS.UNKNOWN,
        },
    ),
    Vendor.CROWDSTRIKE: ("platform_name", {"Windows": OS.WINDOWS, "Mac": OS.MACOS, "Linux": OS.LINUX, "Android": OS.UNKNOWN}),
    Vendor.DEFENDER: (
        "osPlatform",
        {
            "Windows11": OS.WINDOWS,
            "WindowsServer2019": OS.WINDOWS,
            "macOS": OS.MACOS,
            "Ubuntu": OS.LINUX,
            "RedHatEnterpriseLinux": OS.LINUX,
            "Debian": OS.LINUX,
            "Unknown": OS.UNKNOWN,
            "Android": OS.UNKNOWN,
        },
    ),
    Vendor.SENTINELONE: (
        "osType",
        {"windows": OS.WINDOWS, "windows_legacy": OS.WINDOWS, "macos": OS.MACOS, "linux": OS.LINUX, "ibm_aix": OS.UNKNOWN},
    ),
}
CASES = [(vendor, field, word, os) for vendor, (field, words) in WORDS.items() for word, os in words.items()]


def says(rig, field, word):
    """Let the twin tell the first endpoint's system in this word, wherever it keeps the facts of an endpoint."""
    facts = rig.simulation.world.tenants["acme"].endpoints[rig.agent_id(FIRST)].facts
    facts.update({"machine": {**facts.get("machine", {}), field: word}} if rig.vendor is Vendor.DEFENDER else {field: word})


def services_of(rig):
    policy = Policy(
        customer="acme", remediate_groups={rig.vendor: frozenset({"Remediate", "remediate"})}, unsupported_os_emails=("it@acme.example",)
    )
    return some_services(policy=policy, edrs={("acme", rig.vendor): rig.adapter}, capabilities=capabilities())


def mails(services):
    return [each.notification.headline.rpartition(": ")[2] for each in services.channels["acme", ""].sent]


def rechecked(services):
    """The next re-check, and the mails that come of it. Its tick is minutes ago by then."""
    services.clock.advance(TICK * 2)
    found = sum(recheck_unsupported_os(services, *each) for each in whose_turn_it_is(services))
    services.doorbell.answer(services)
    return found


def others_stay(rig):
    """Somebody stays in each group: where a group is no more than its endpoints, an empty one is an error."""
    rig.change("NEIGHBOUR", groups=["g1", "g2"] if rig.vendor not in {Vendor.SENTINELONE, Vendor.CARBON_BLACK_EDR} else None)


@pytest.fixture(params=list(RIGS), ids=str)
def linux(request):
    """A fleet of Windows, of which the first endpoint is a Linux in the vendor's own word."""
    field, words = WORDS[request.param]
    with RIGS[request.param]() as rig:
        says(rig, field, next(word for word, os in words.items() if os is OS.LINUX))
        others_stay(rig)
        yield rig


@pytest.mark.parametrize(("vendor", "field", "word", "os"), CASES)
def test_the_vendors_word_is_read_alike_alone_and_in_a_group(vendor, field, word, os):
    with RIGS[vendor]() as rig:
        says(rig, field, word)
        agent = rig.agent_id(FIRST)
        assert rig.adapter.endpoint(agent).os is os
        assert {each.agent_id: each.os for each in rig.adapter.members("Remediate")}[agent] is os


def test_an_endpoint_is_told_of_once_however_often_it_is_seen(linux):
    services = services_of(linux)
    assert [rechecked(services) for _ in range(3)] == [1, 0, 0]
    assert mails(services) == [FIRST]


def test_one_that_left_and_came_back_is_told_of_again(linux):
    services = services_of(linux)
    home = linux.simulation.world.tenants["acme"].endpoints[linux.agent_id(FIRST)].groups[:]
    outside = {Vendor.CARBON_BLACK_EDR: ["3"], Vendor.SENTINELONE: ["1000000000000000003"]}.get(linux.vendor, [])
    rechecked(services)
    linux.change(FIRST, groups=outside)
    rechecked(services)
    linux.change(FIRST, groups=list(home))
    assert rechecked(services) == 1
    assert mails(services) == [FIRST, FIRST]


def test_a_group_that_cannot_be_read_forgets_nothing(linux):
    services = services_of(linux)
    rechecked(services)
    linux.simulation.faults.add(Fault(action="reply", status=500, body="{}", vendor=linux.vendor))
    rechecked(services)
    linux.simulation.faults.clear()
    assert rechecked(services) == 0
    assert mails(services) == [FIRST]
