"""What the verbs work with: the ports, wired by `bootstrap`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..domain.audit import Anchor
    from ..domain.capabilities import Capabilities
    from ..domain.endpoints import Vendor
    from ..domain.notifications import Receiver
    from ..domain.policies import Policy
    from ..domain.standing import Oddity, Offered
    from ..domain.wellknown import WellKnown
    from ..ports import EDR, Chains, Channel, Clock, Door, Doorbell, Feed, Ledger, Reader, Trail, Witness
    from .heartbeat import Heartbeat


@dataclass
class Record:
    """What stands outside Redis, and what the last look found odd in it: `odd` by customer, of events those that are looked for again."""

    trail: Trail
    chains: Chains
    door: Door
    witness: Witness | None = None
    #: The ends that the witness was told, by customer.
    witnessed: dict[str, Anchor] = field(default_factory=dict)
    odd: dict[str, list[Oddity]] = field(default_factory=dict)
    odd_events: list[Offered] = field(default_factory=list)
    #: Of more rows than one look takes, where the last one ended.
    looked_to: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Services:
    """One customer's EDRs are found by (customer, vendor), receivers by (owner, name): there is no default tenant, ever."""

    ledger: Ledger
    doorbell: Doorbell
    clock: Clock
    #: A uniform number in [0, 1).
    random: Callable[[], float]
    policies: Mapping[str, Policy]
    edrs: Mapping[tuple[str, Vendor], EDR]
    capabilities: Capabilities
    #: The owner is a customer or `tre`. The empty name is a customer's mail by the operator's relay.
    channels: Mapping[tuple[str, str], Channel]
    tre_receivers: tuple[Receiver, ...]
    #: How long a worker may hold a row without a sign of life.
    lease: timedelta
    heartbeat: Heartbeat
    #: The lists of the well-known, read when they are first needed.
    well_known: Callable[[], WellKnown]
    #: Settled threats are packed after this.
    compact_after: timedelta = timedelta(days=3)
    #: The feeds that are polled, by customer and name.
    feeds: Mapping[tuple[str, str], Feed] = field(default_factory=dict)
    #: What reads a feed's records, by the name of the format.
    readers: Mapping[str, Reader] = field(default_factory=dict)
    poll_every: timedelta = timedelta(seconds=30)
    #: What housekeeping keeps in files. Where it is None nothing is chained: in tests and benchmarks of other things.
    record: Record | None = None
    #: Customer and EDR -> until when, by `monotonic`, planning asks it nothing because it gave no answer.
    unanswered: dict[tuple[str, Vendor], float] = field(default_factory=dict)
    #: Customer and group -> until when, by `monotonic`, it is not counted again, and why it could not be.
    uncounted: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    #: Seconds that only grow, for what must follow soon.
    monotonic: Callable[[], float] = time.monotonic
    #: Waits for so many seconds.
    sleep: Callable[[float], None] = time.sleep
