"""A customer's own webhook, by Standard Webhooks 1.0: signed, and recognised by its id when it comes again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ..domain.checkups import Check
from ..domain.results import Result
from ..domain.text import cleaned
from .base import Entry, one_line, printable
from .dialling import dialled
from .egress import Egress
from .outcomes import encoded, fitting, fitting_items, outcome
from .targets import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..domain.notifications import Delivery, Notification

#: The specification asks for less than 20 KB.
LARGEST = 20_000
HEADLINE, FACT = 300, 500
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)


def key_of(secret: str) -> bytes:
    """The key in a `whsec_` secret. Raises ValueError without a word of it."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise ValueError("must be whsec_ followed by 24 to 64 bytes in base64")
    return key


def _checked(secret: SecretStr) -> SecretStr:
    key_of(secret.get_secret_value())
    return secret


class Config(BaseModel):
    """One endpoint of one customer. Every secret signs: the new one beside the old one is how a key is rotated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Url = Field(description="Where it is posted to; https, and not at a private address.")
    secrets: tuple[Annotated[SecretStr, AfterValidator(_checked)], ...] = Field(
        min_length=1, max_length=5, description="Standard Webhooks secrets (`whsec_...`). Each signs, so that one can be replaced."
    )


def probe(config: Config, egress: Egress | None = None) -> Check:
    """A handshake: whether the URL is good shows only when something is posted."""
    return dialled("webhook", config.url.get_secret_value(), egress or Egress())


class Webhook:
    """`ports.Channel`. The receiver knows a repetition by its `webhook-id`; that it looks is its part of the standard."""

    dedupes = True
    marks_copies = True

    def __init__(self, config: Config, egress: Egress | None = None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._config, self._egress, self._now = config, egress or Egress(), now

    def render(self, delivery: Delivery) -> dict[str, Any]:
        """The envelope. It is the same at every attempt, unless the delivery does not know when it happened."""
        note, threat = delivery.notification, delivery.notification.threat
        data: dict[str, Any] = {
            "customer": note.customer,
            "headline": one_line(note.headline, HEADLINE),
            "dry_run": str(note.dry_run),
            "threat": threat
            and {
                "id": threat.id,
                "severity": str(threat.severity),
                "classification": cleaned(threat.classification),
                "url": threat.url,
            },
        }
        happened = delivery.occurred_at or self._now()
        envelope = {
            "type": f"active_remediation.{note.kind}",
            "timestamp": happened.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": data,
        }
        data.update(_rest(note, LARGEST - len(encoded(envelope))))
        return envelope

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002
        """Post once, with the time of this attempt."""
        body = encoded(self.render(delivery))
        message_id, stamp = message_id_of(delivery_id), str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self._keys(), message_id, stamp, body),
        }
        url = self._config.url.get_secret_value()
        return outcome(lambda: self._egress.post(url, body, headers), reference=lambda _: message_id, dedupes=True)

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002
        """Nothing to ask: a repetition is recognised."""
        return None

    def _keys(self) -> list[bytes]:
        return [key_of(secret.get_secret_value()) for secret in self._config.secrets]


def message_id_of(delivery_id: str) -> str:
    """The `webhook-id`: constant over retries, and free of the full stop that would let one message pass for another."""
    return f"msg_{hashlib.sha256(delivery_id.encode()).hexdigest()[:32]}"


def signature(keys: Iterable[bytes], message_id: str, stamp: str, body: bytes) -> str:
    """One `v1` signature per key, over exactly the bytes that are sent."""
    signed = f"{message_id}.{stamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)


def _rest(note: Notification, room: int) -> dict[str, Any]:
    """What may be clipped, in `room` bytes: the facts first, then as much of the body as is left room for."""
    pairs = [{"label": one_line(label, FACT), "value": one_line(value, FACT)} for label, value in note.facts]
    facts, left_out = fitting_items(pairs, room * 2 // 3)
    found = {"facts": facts, "facts_left_out": left_out, "body": ""}
    return found | {"body": fitting(printable(note.body), room - len(encoded(found)))}


ENTRY = Entry(Config, Webhook, probe)
