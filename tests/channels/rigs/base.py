"""What a rig is: a channel at its inbox, and what the contract suite expects of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ar_workers.channels.egress import Egress
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault, Simulation

CANARY = "canary-7f3a9"
UNPRINTABLE = "\0\x1b\u202e\u2066\u2028\ud800"

TOO_OFTEN = Fault(action="reply", status=429, headers={"Retry-After": "7"})
AWAY = Fault(action="reply", status=503, headers={"Retry-After": "7"}, body="<html>")
BROKEN = Fault(action="reply", status=503, body="<html>")
ELSEWHERE = Fault(action="redirect", status=302, headers={"Location": "https://elsewhere.example/"})
MOVED = Fault(action="redirect", status=308, headers={"Location": "https://127.0.0.1:1/"})


@dataclass
class Rig:
    channel: Any
    simulation: Simulation
    vendor: str
    delivery: Any
    #: What leads to the threat.
    link: str = "https://acme.ar.example/threats/1042"
    #: Words that must not be seen anywhere.
    secrets: tuple[str, ...] = (CANARY,)

    def messages(self):
        """What has arrived. What nobody acknowledges may be on its way yet."""
        if self.vendor == "syslog":
            self.simulation.journal.wait_for(lambda each: each["kind"] == "request", timeout=3)
        return self.simulation.journal.messages(vendor=self.vendor)

    def requests(self):
        return self.simulation.journal.requests(vendor=self.vendor)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """All that the suites know of one channel.

    `inbox` is the simulator's module that it is told by, `settings` are the inbox's pretend secrets. `rigs`: the channel's name, or that
    and the name of a form of it -> simulation -> Rig. `outcomes`: what each answer of the provider means, by such a name. `judge`:
    (channel, notification) -> whether what is rendered is valid for the provider, and whole in its essentials.
    """

    inbox: str
    settings: dict[str, Any] = field(default_factory=dict)
    rigs: dict[str, Callable[[Simulation], Rig]]
    outcomes: tuple[tuple[str, Fault, Answer], ...]
    judge: Callable


def an_egress(simulation, server, **more):
    defaults = {"allowed": ["127.0.0.0/8"], "ports": [server.port], "ca_file": simulation.ca_pem, "read": 1.0}
    return Egress(**(defaults | more))


def is_clean(text):
    return not set(UNPRINTABLE) & set(text)
