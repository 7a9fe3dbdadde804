"""What the vendors' calls share: an admitted request on its way through a handler, with all that the handler may need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .journal import Journal
from .options import Knobs
from .server import Request
from .world import Credential, Tenant

OptionsT = TypeVar("OptionsT", bound=Knobs)


@dataclass(frozen=True, kw_only=True)
class Call(Generic[OptionsT]):
    """A vendor's file adds how it reads and refuses; what a call does to sessions or orders is added where those are kept."""

    request: Request
    tenant: Tenant
    credential: Credential
    now: float
    options: OptionsT
    journal: Journal
    #: The parts of the path that the route leaves open, in order.
    parts: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """Who asks: the id of an API client, an app or a token's user."""
        return self.credential.client_id

    def effect(self, verb: str, target: str, *, changed: bool, **facts: Any) -> None:
        """Write down what was asked of the pretend world, and whether it changed."""
        self.journal.effect(verb, target, changed=changed, vendor=self.options.vendor, tenant=self.tenant.name, **facts)
