"""PagerDuty (Events API v2): threat URL, severity and classification for the TREs, and nothing else."""

from __future__ import annotations

import hashlib
import re
import ssl
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from httpx2 import ConnectError, ConnectTimeout, TransportError
from pagerduty import Error, EventsApiV2Client
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..domain import leases
from ..domain.checkups import Check, red
from ..domain.dry_runs import DryRun
from ..domain.notifications import Kind
from ..domain.results import Answer, Result
from ..domain.threats import Severity
from ..http import delay_of
from .base import READ, Entry, one_line
from .dialling import dialled
from .egress import Egress

if TYPE_CHECKING:
    from ..domain.notifications import Delivery, Notification

#: PagerDuty's limit; its own OpenAPI does not check it.
SUMMARY = 1024
SEVERITIES = {Severity.HIGH: "critical", Severity.MEDIUM: "error", Severity.LOW: "info", Severity.UNKNOWN: "error"}
#: A constant: the field is required, and a host's name has no business there.
SOURCE = "active-remediation"
#: What is paged, where it is not the threat itself.
_WORDS = {
    Kind.REMEDIATION_SUMMARY: "threat remediated",
    Kind.THREAT_CLOSED: "threat closed",
    Kind.ACTION_NEEDED: "action needed",
    Kind.NOT_CONTAINED: "not contained yet",
}
_OVER = frozenset({Kind.REMEDIATION_SUMMARY, Kind.THREAT_CLOSED})
RESOLVE = "resolve"
_SILENT = dict.fromkeys((429, 500, 502, 503, 504), 1)


class Config(BaseModel):
    """The TREs' service integration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    routing_key: SecretStr = Field(description="The Integration Key of an Events API v2 integration.")
    base_url: str = "https://events.pagerduty.com"
    ca_file: Path | None = None
    timeout: int = int(READ)


#: An integration's key.
_KEY = re.compile(r"[!-~]{32}")


def probe(config: Config) -> Check:
    """The key's form and a handshake: there is no call that shows a key to be good but one that alerts."""
    if not _KEY.fullmatch(config.routing_key.get_secret_value()):
        return red("pagerduty", "the routing key is not 32 characters long", "copy the Integration Key of an Events API v2 integration")
    port = urlsplit(config.base_url).port or 443
    return dialled("pagerduty", config.base_url, Egress(allowed=("0.0.0.0/0", "::/0"), ports=(port,), ca_file=config.ca_file))


class PagerDuty:
    """`ports.Channel`. One dedup key per threat and incident: a repeated trigger updates the open alert, so repeating is harmless."""

    dedupes = True
    marks_copies = True

    def __init__(self, config: Config) -> None:
        self._config = config
        self._tls = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)

    def render(self, notification: Notification) -> dict[str, Any] | None:
        """The event by allow-list; None for what is about no threat and waits for nobody.

        That a threat is remediated is told as well, and wakes nobody: whoever learns of the summary only would have no
        open alert that could be resolved instead. A dry run wakes nobody either: there is nothing that waits for a person. It has an
        alert of its own, in which nothing that is in earnest could go unseen.
        """
        threat = notification.threat
        if notification.kind is Kind.CONTAINMENT_SETTLED:
            key = dedup_key(notification.customer, threat.id if threat else "", notification.incident)
            return {"dedup_key": key} if notification.incident else None
        if threat is None or (notification.kind is Kind.RECEIVER_REFUSED and notification.incident):
            return _about_no_threat(notification) if notification.incident else None
        wakes_nobody = notification.kind in _OVER or notification.dry_run is DryRun.YES
        what = _WORDS.get(notification.kind, "threat")
        return {
            "payload": {
                "summary": one_line(f"{notification.mark}{threat.severity.upper()} {what}: {threat.classification}", SUMMARY),
                "source": SOURCE,
                "severity": "info" if wakes_nobody else SEVERITIES[threat.severity],
                "class": threat.classification,
                "custom_details": {
                    "threat_url": threat.url,
                    "severity": str(threat.severity),
                    "classification": threat.classification,
                },
            },
            "dedup_key": _key_of(notification, "" if notification.common else threat.id),
            "links": [{"href": threat.url, "text": "Open threat"}],
        }

    def send(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result:  # noqa: ARG002
        """Trigger once; or, where what was paged is settled, resolve it."""
        event = self.render(delivery.notification)
        if event is None:
            return Result(answer=Answer.PERMANENT, code="no_threat")
        return self._enqueued(RESOLVE if delivery.notification.kind is Kind.CONTAINMENT_SETTLED else "trigger", event)

    def test(self) -> Result:
        """Open an alert that says it is a test, and resolve it: two requests, under a key that no threat has."""
        key = f"test-{uuid.uuid4().hex}"
        payload = {"summary": "[TEST] Active Remediation can page you", "source": SOURCE, "severity": "info"}
        opened = self._enqueued("trigger", {"payload": payload, "dedup_key": key})
        return self._enqueued(RESOLVE, {"dedup_key": key}) if opened.answer is Answer.ACCEPTED else opened

    def reconcile(self, delivery: Delivery, delivery_id: str, *, thread: str = "") -> Result | None:  # noqa: ARG002
        """Nothing to ask: a repetition is recognised."""
        return None

    def _enqueued(self, action: str, event: dict[str, Any]) -> Result:
        if leases.is_over():
            return Result(answer=Answer.RETRY, code=leases.LATE)
        try:
            with self._client() as client:
                reply = client.post("/v2/enqueue", json={"event_action": action, **event})
        except (Error, TransportError) as error:
            return _unanswered(error)
        return _judged(reply.status_code, reply.headers.get("retry-after"), event["dedup_key"])

    def _client(self) -> EventsApiV2Client:
        """The vendor's client with its retries off: it would repeat a 429 for ever, sleeping inside the worker."""
        key = self._config.routing_key.get_secret_value()
        client = EventsApiV2Client(key, base_url=self._config.base_url, verify=self._tls, trust_env=False)
        client.retry.update(_SILENT)
        client.max_http_attempts = -1
        client.max_network_attempts = 0
        client.timeout = self._config.timeout
        return client


def dedup_key(customer: str, threat_id: str, incident: str = "") -> str:
    """One key per threat of a customer, and per incident: opaque, never empty, and below PagerDuty's 255 characters."""
    return hashlib.sha256("\x1f".join(filter(None, (customer, threat_id, incident))).encode()).hexdigest()


def _key_of(notification: Notification, threat_id: str) -> str:
    dry = notification.dry_run is DryRun.YES
    return dedup_key(notification.customer, threat_id, "\x1f".join(filter(None, (notification.incident, "dry run" if dry else ""))))


def _about_no_threat(notification: Notification) -> dict[str, Any]:
    """An endpoint's own matter, as a release that failed: whoever is paged finds it in the other channels.

    What is no customer's matter, a channel of the TREs that takes nothing, is said in its own words: there may be no other channel.
    """
    is_ours = notification.kind is Kind.RECEIVER_REFUSED
    words = f"{notification.mark}{_WORDS.get(notification.kind, 'action needed').capitalize()}"
    summary = one_line(notification.headline, SUMMARY) if is_ours else words
    severity = "info" if notification.dry_run is DryRun.YES else SEVERITIES[Severity.HIGH]
    return {"payload": {"summary": summary, "source": SOURCE, "severity": severity}, "dedup_key": _key_of(notification, "")}


def _unanswered(error: Exception) -> Result:
    cause = error.__cause__ or error
    never_made = isinstance(cause, ConnectError | ConnectTimeout)
    response = getattr(error, "response", None)
    if response is not None and 300 <= response.status_code < 400:  # noqa: PLR2004 - HTTP's redirects
        return Result(answer=Answer.PERMANENT, code="redirect_refused", fix="check AR_PAGERDUTY_URL")
    return Result(answer=Answer.RETRY if never_made else Answer.UNKNOWN, code=type(cause).__name__)


def _judged(status: int, retry_after: str | None, key: str) -> Result:
    if status == 202:  # noqa: PLR2004 - the one success of this API
        return Result(answer=Answer.ACCEPTED, reference=key)
    if status == 429 or status >= 500:  # noqa: PLR2004
        return Result(answer=Answer.RETRY, code=f"http {status}", retry_after=delay_of(retry_after))
    # Our events are made by an allow-list: a 400 is about the key.
    return Result(answer=Answer.PERMANENT, code=f"http {status}", fix="check the routing key (AR_PAGERDUTY_ROUTING_KEY)")


ENTRY = Entry(Config, PagerDuty, probe)
