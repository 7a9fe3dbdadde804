"""Gong: one line of JSON to one URL, which is its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from .base import Entry, essentials, one_line
from .dialling import dialled
from .egress import Egress
from .outcomes import encoded, outcome
from .targets import Url

if TYPE_CHECKING:
    from ..domain.checkups import Check
    from ..domain.notifications import Delivery, Notification
    from ..domain.results import Result


class Config(BaseModel):
    """Where it hangs."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Url = Field(description="Where it hangs.")


def probe(config: Config, egress: Egress | None = None) -> Check:
    """A handshake."""
    return dialled("gong", config.url.get_secret_value(), egress or Egress())


class Gong:
    """`ports.Channel`. Nobody can be asked whether it has sounded."""

    dedupes = False
    marks_copies = True

    def __init__(self, config: Config, egress: Egress | None = None) -> None:
        self._config, self._egress = config, egress or Egress()

    def render(self, notification: Notification, delivery_id: str) -> dict[str, Any]:
        """What is told, and the delivery's id."""
        return {"id": delivery_id, "headline": one_line(notification.headline, 200), "facts": essentials(notification)}

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:
        """Strike once."""
        url = self._config.url.get_secret_value()
        body = encoded(self.render(delivery.notification, delivery_id))
        return outcome(lambda: self._egress.post(url, body, {}), reference=lambda _: delivery_id, dedupes=False)

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:
        """Nobody can tell."""
        return None


ENTRY = Entry(Config, Gong, probe)
