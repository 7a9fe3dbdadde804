"""What all adapters share: marks on methods, the dispatch by them, and the capability table read from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from ..domain.capabilities import Capability, Means
from ..domain.endpoints import OS, Vendor
from ..domain.errors import Unsupported
from .probes import Probe, examine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import BaseModel

    from ..domain.actions import Action
    from ..domain.checkups import Check
    from ..domain.endpoints import Endpoint
    from ..domain.facts import Fact, Receipt
    from ..domain.indicators import HashType
    from ..domain.limits import Limits
    from ..ports import Feed

DESKTOPS = frozenset({OS.WINDOWS, OS.MACOS})
EVERYWHERE = DESKTOPS | {OS.LINUX}
WINDOWS = frozenset({OS.WINDOWS})

Method = TypeVar("Method", bound="Callable[..., Any]")


@dataclass(frozen=True)
class _Mark:
    verb: str
    on: frozenset[OS]
    means: Means
    remark: str


def performs(kind: type[Action], *, on: frozenset[OS], means: Means = Means.NATIVE, remark: str = "") -> Callable[[Method], Method]:
    """Mark the method that asks for actions of `kind`: `(self, action, seen) -> Receipt`, at most one write."""

    def mark(method: Method) -> Method:
        method.__dict__["performs"] = _Mark(_verb(kind), on, means, remark)
        return method

    return mark


def observes(*kinds: type[Action]) -> Callable[[Method], Method]:
    """Mark the method that looks for the effect of actions of `kinds`: `(self, action, receipt) -> Fact`, reads only."""

    def mark(method: Method) -> Method:
        method.__dict__["observes"] = tuple(map(_verb, kinds))
        return method

    return mark


def withdraws(*kinds: type[Action]) -> Callable[[Method], Method]:
    """Mark the method that takes an accepted order of `kinds` back: `(self, action, receipt) -> Fact`, at most one write and a look."""

    def mark(method: Method) -> Method:
        method.__dict__["withdraws"] = tuple(map(_verb, kinds))
        return method

    return mark


def _verb(kind: type[Action]) -> str:
    return str(kind.model_fields["verb"].default)


class EDRAdapter(ABC):
    """Base of the adapters: `ports.EDR` by dispatch. What is not marked is refused before any request."""

    vendor: ClassVar[Vendor]
    hash_types: ClassVar[tuple[HashType, ...]]
    limits: ClassVar[Limits]
    #: Where the vendor's permissions are given, in words.
    grant: ClassVar[str]
    _performers: ClassVar[dict[str, tuple[str, _Mark]]]
    _observers: ClassVar[dict[str, str]]
    _withdrawers: ClassVar[dict[str, str]]
    #: Why it cannot undo what it can do: by verb.
    no_undo: ClassVar[Mapping[str, str]] = {}
    #: Why an order stays with the vendor, where no method takes it back.
    stands_because: ClassVar[str] = "its API takes no order back"

    @abstractmethod
    def __init__(self, config: Any) -> None:
        """Take the adapter's own Config."""

    def __init_subclass__(cls) -> None:
        marked = [(name, getattr(cls, name, None)) for name in dir(cls)]
        cls._performers = {mark.verb: (name, mark) for name, method in marked if (mark := getattr(method, "performs", None))}
        cls._observers = {verb: name for name, method in marked for verb in getattr(method, "observes", ())}
        cls._withdrawers = {verb: name for name, method in marked for verb in getattr(method, "withdraws", ())}

    @classmethod
    def capabilities(cls) -> tuple[Capability, ...]:
        """One cell per marked verb and OS, and one where it is known why there is none."""
        found = [
            Capability(edr=cls.vendor, verb=mark.verb, os=os, means=mark.means, remark=mark.remark)
            for _, mark in cls._performers.values()
            for os in sorted(mark.on)
        ]
        none = ((verb, os, why) for verb, why in cls.no_undo.items() for os in sorted(EVERYWHERE))
        return (*found, *(Capability(edr=cls.vendor, verb=verb, os=os, means=Means.NONE, remark=why) for verb, os, why in none))

    @abstractmethod
    def endpoint(self, agent_id: str) -> Endpoint:
        """See `ports.EDR`."""

    @abstractmethod
    def members(self, group: str) -> Iterator[Endpoint]:
        """See `ports.EDR`."""

    @abstractmethod
    def sign_in(self) -> object:
        """One harmless call that fails if the credentials are wrong; where it fails with a 403, they are good."""

    @abstractmethod
    def probes(self) -> Iterator[Probe]:
        """What the actions need, one permission after the other. Nothing is asked before a probe's own look."""

    def checkup(self) -> Iterator[Check]:
        """Look, by reads alone, whether the credentials, each permission and the clock are as the actions need them."""
        return examine(self.sign_in, self.probes(), grant=self.grant)

    def observe(self, action: Action, receipt: Receipt | None) -> Fact:
        """Look whether the action's effect is there."""
        self._check(action)
        fact: Fact = getattr(self, self._observers[action.verb])(action, receipt)
        return fact

    def perform(self, action: Action, seen: Fact) -> Receipt:
        """Ask for the effect."""
        self._check(action)
        name, _ = self._performers[action.verb]
        receipt: Receipt = getattr(self, name)(action, seen)
        return receipt

    def withdraw(self, action: Action, receipt: Receipt) -> Fact:
        """Take back an order that was accepted and is not in effect."""
        if action.verb not in self._withdrawers:
            raise Unsupported(f"{self.vendor}: {self.stands_because}")
        fact: Fact = getattr(self, self._withdrawers[action.verb])(action, receipt)
        return fact

    def _check(self, action: Action) -> None:
        found = self._performers.get(action.verb)
        what = action.verb.replace("_", " ")
        if not found:
            why = self.no_undo.get(action.verb)
            raise Unsupported(f"{self.vendor} cannot {what}" + (f": {why}" if why else ""))
        on = found[1].on
        os = action.endpoints[0].os if action.lane else OS.UNKNOWN
        if os is not OS.UNKNOWN and os not in on:
            raise Unsupported(f"{self.vendor} cannot {what} on {os}")
        if os is OS.UNKNOWN and action.lane and on != EVERYWHERE and not on >= DESKTOPS:
            raise Unsupported(f"{self.vendor} can {what} only on {', '.join(sorted(on))}, and the OS of the endpoint is not known")


class Entry(NamedTuple):
    """The `ENTRY` of an adapter's module: what its section of a customer's file must be, the class, and what makes its feed."""

    config: type[BaseModel]
    adapter: type[EDRAdapter]
    #: (config, overlap=...) -> the feed of its alerts.
    feed: Callable[..., Feed]
