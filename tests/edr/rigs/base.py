"""What a rig is: an adapter at its twin, in a world that holds what the contract suite acts on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ar_workers.domain.endpoints import OS, Vendor
from ar_workers.domain.errors import AuthRefused, Denied, OutcomeUnknown, VendorFault
from ar_workers.domain.facts import Sight
from ar_workers.edr.base import EDRAdapter
from ar_workers.simulator import Fault, Simulation
from tests.builders import EVIL, an_action, an_endpoint, hash_of, sha256
from tests.sources.samples import Sample

PLATFORMS = {OS.WINDOWS: "Windows", OS.MACOS: "Mac", OS.LINUX: "Linux"}
MAC_EVIL = "/Users/robin/Library/evil"
FIRST, NEIGHBOUR = "FIN-LT-07", "NEIGHBOUR"


def evil_on(os: OS) -> str:
    """The path of the malicious file."""
    return EVIL if os is OS.WINDOWS else MAC_EVIL


def fleet(os: OS, agent_id, group: str, **more) -> list[dict]:
    """The endpoint that is acted on, and a neighbour that has the same in it and must stay as it is."""
    path = evil_on(os)
    return [
        {
            "agent_id": agent_id(name),
            "hostname": name,
            "platform": PLATFORMS[os],
            "groups": [group],
            "check_in_delay": 60.0,
            "processes": [{"pid": 4711, "path": path, "sha256": sha256(path)}],
            "files": [{"path": path, "sha256": sha256(path), "md5": hash_of("md5", path)}],
            "registry": {r"HKLM\Software\Evil": {"a": "1", "b": "2"}},
            **more,
        }
        for name in (FIRST, NEIGHBOUR)
    ]


#: What goes wrong with a write, and the error of ours that must come of it, whatever the vendor.
ERRORS = {
    "403": (Fault(action="reply", status=403, body='{"errors":[{"code":403,"message":"scope"}]}'), AuthRefused),
    "401": (Fault(action="reply", status=401, body='{"errors":[{"code":401,"message":"bearer"}]}'), AuthRefused),
    "400": (Fault(action="reply", status=400, body='{"errors":[{"code":400,"message":"bad id"}]}'), Denied),
    "500": (Fault(action="reply", status=500, body='{"errors":[{"code":500,"message":"oops"}]}'), VendorFault),
    "html": (Fault(action="reply", status=502, body="<html>Bad Gateway</html>"), VendorFault),
    "503": (Fault(action="reply", status=503, body=""), VendorFault),
    "redirect": (Fault(action="redirect", status=308, headers={"Location": "https://elsewhere.example/"}), Denied),
    "truncate": (Fault(action="truncate"), OutcomeUnknown),
    "cut": (Fault(action="cut"), OutcomeUnknown),
    "reset_before": (Fault(action="reset_before"), OutcomeUnknown),
    "reset_after": (Fault(action="reset_after"), OutcomeUnknown),
    "hang_before": (Fault(action="hang_before", seconds=1.0), OutcomeUnknown),
    "hang_after": (Fault(action="hang_after", seconds=1.0), OutcomeUnknown),
}


@dataclass
class Rig:
    """One vendor's adapter at its twin.

    `writes` tells the requests that ask for an effect: keys method, path (a glob), body_contains (optional). Reads
    that the vendor does by POST, sessions and tokens are none. `agent_id` gives an endpoint's id from its hostname.
    `throttle` is a 429 as the vendor writes it, asking to be left alone for 30 seconds or, where the vendor names no
    time, for `retry_after` None. `exceptions` names the entries of ERRORS that mean something else for this vendor.
    """

    vendor: Vendor
    adapter: EDRAdapter
    simulation: Simulation
    agent_id: object
    writes: list[dict[str, str]]
    throttle: Fault
    retry_after: int | None = 30
    tenant: str = "acme"
    secrets: tuple[str, ...] = ("canary-secret",)
    #: Whether a 401 makes it fetch a new token and ask once more.
    renews: bool = False
    #: Verbs whose order the vendor keeps for an offline endpoint; the other shell verbs are refused while it is away.
    queued: frozenset[str] = frozenset()
    #: Verbs whose effect the vendor cannot show before they were asked for.
    blind: frozenset[str] = frozenset()
    #: Verbs whose repetition the vendor answers in a way that may mean something else.
    ambiguous: frozenset[str] = frozenset()
    exceptions: dict[str, type[Exception]] = field(default_factory=dict)
    #: (a group's exact name, another group's id in the twin, a name that is only alike).
    groups: tuple[str, str, str] = ("Remediate", "g2", "Remed")
    #: The id of an endpoint that does not exist.
    nobody: str = "0" * 32
    #: The journal's entries that a test does not count.
    since: int = 0

    @property
    def server(self):
        """The twin's server."""
        return self.simulation.twins[self.vendor]

    def is_write(self, entry: dict) -> bool:
        """Whether a request of the journal asks for an effect."""
        body = json.dumps(entry["body"])
        return any(
            entry["method"] == each["method"] and fnmatchcase(entry["path"], each["path"]) and each.get("body_contains", "") in body
            for each in self.writes
        )

    def written(self) -> list[dict]:
        """The requests that asked for an effect."""
        return [each for each in self.simulation.journal.entries(since=self.since, kind="request") if self.is_write(each)]

    def effects(self) -> list[tuple[str, str]]:
        """What really changed."""
        changed = (each for each in self.simulation.journal.entries(since=self.since, kind="effect") if each["changed"])
        return [(each["verb"], each["target"]) for each in changed]

    def forget(self) -> None:
        """What was done until now is not counted any more."""
        self.since = len(self.simulation.journal)

    def spoil_writes(self, fault: Fault) -> None:
        """Let the fault strike what asks for an effect, and nothing else."""
        for each in self.writes:
            self.simulation.faults.add(Fault(**{**vars(fault), **each}))

    def expected(self, name: str) -> type[Exception]:
        """The error that an entry of ERRORS must become."""
        return self.exceptions.get(name, ERRORS[name][1])

    def settled(self, action, receipt, looks: int = 8):
        """Let the pretend endpoint check in and its orders run, looking until the effect shows."""
        for _ in range(looks):
            self.simulation.clock.advance(90)
            fact = self.adapter.observe(action, receipt)
            if fact.sight is not Sight.PENDING:
                break
        return fact

    def endpoint(self, os: OS = OS.WINDOWS, name: str = FIRST):
        """The endpoint of this name as an event would tell of it."""
        return an_endpoint(name, edr=self.vendor, agent_id=self.agent_id(name), os=os, groups=frozenset({self.groups[0]}))

    def change(self, name: str = FIRST, **changes) -> None:
        """Let something happen to an endpoint behind the API's back."""
        self.simulation.world.change(self.tenant, self.agent_id(name), **changes)

    def done(self, verb: str, os: OS = OS.WINDOWS, **changes):
        """An action of this verb that was carried out and is not counted, and its receipt."""
        action = self.action(verb, os).model_copy(update=changes)
        receipt = self.adapter.perform(action, self.adapter.observe(action, None))
        assert self.settled(action, receipt).sight is Sight.PRESENT
        self.forget()
        return action, receipt

    def action(self, verb: str, os: OS = OS.WINDOWS):
        """One action of this verb on the first endpoint."""
        return an_action(verb, self.endpoint(os), evil_on(os))


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ms(at):
    return int(at.timestamp() * 1000)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """All that the suites know of one vendor.

    `permissions`: the twin's name of one -> what the checkup shows red without it; `untestable`: those that only acting would show, so
    that nothing can be said of them. `alert`: (number, came, changed) -> an alert as the twin keeps it. `samples`: by name an alert
    with everything that the reader takes, as the vendor's API serves it.
    """

    rig: Callable
    permissions: dict[str, str] = field(default_factory=dict)
    untestable: frozenset[str]
    alert: Callable
    samples: dict[str, Sample]
