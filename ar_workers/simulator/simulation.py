"""The whole pretend world, started on loopback ports: twins, inboxes, journal, faults, clock."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from .carbon_black_cloud import CarbonBlackCloudTwin
from .carbon_black_edr import CarbonBlackEDRTwin
from .clock import VirtualClock
from .cortex_xdr import CortexTwin
from .crowdstrike import CrowdStrikeTwin
from .defender import DefenderTwin
from .faults import FaultPlan
from .inboxes.mail import MailInbox
from .inboxes.pagerduty import PagerDutyInbox
from .inboxes.slack import SlackInbox
from .inboxes.syslog import SyslogInbox
from .inboxes.teams import TeamsInbox
from .inboxes.twilio import TwilioInbox
from .inboxes.webhook import WebhookInbox
from .journal import Journal
from .redcanary import RedCanaryTwin
from .sentinelone import SentinelOneTwin
from .server import Server
from .world import World

#: The twins, as a written list; each starts if the world has a tenant of its vendor.
TWINS: dict[str, Any] = {
    "carbon_black_cloud": CarbonBlackCloudTwin,
    "carbon_black_edr": CarbonBlackEDRTwin,
    "cortex_xdr": CortexTwin,
    "crowdstrike": CrowdStrikeTwin,
    "defender": DefenderTwin,
    "redcanary": RedCanaryTwin,
    "sentinelone": SentinelOneTwin,
}
#: Secrets of the inboxes, unless the world names others.
INBOXES: dict[str, dict[str, Any]] = {
    "slack": {"token": "xoxb-simulated", "channels": ["C-TRE"], "hook": "T0/B0/simulated"},
    "pagerduty": {"routing_key": "simulated-routing-key-0123456789"},
    "mail": {"user": "ar", "password": "simulated"},
    "teams": {"sig": "simulated"},
    "webhook": {"secrets": ["whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGUtd2ViaG9vaw=="]},
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "simulated"},
}


class Simulation:
    """Everything at the other end of the wire.

    `ports` fixes ports by name (a vendor's, slack, slack_hook, pagerduty, teams, webhook, mail, twilio, syslog_udp,
    syslog_tcp, syslog_tls). With a folder for its `authority` the certificates are signed by the same one after a
    restart; without, each run has its own.
    """

    def __init__(
        self,
        world: World,
        *,
        speed: float = 1.0,
        journal: Path | None = None,
        ports: dict[str, int] | None = None,
        seed: int = 0,
        authority: Path | None = None,
    ) -> None:
        self.world = world
        self.clock = world.clock = VirtualClock(speed=speed)
        self.journal = Journal(self.clock, journal)
        self.faults = FaultPlan(seed=seed)
        self._ports = ports or {}
        self._folder = tempfile.TemporaryDirectory(prefix="simulator-")
        self._servers: list[Server | MailInbox | SyslogInbox] = []
        self._settings = {name: {**INBOXES[name], **world.inboxes.get(name, {})} for name in INBOXES}
        self.ca_pem, tls = self._certificates(authority or Path(self._folder.name))
        self.twins = {
            vendor: self._server(vendor, twin(world, self.clock, self.journal)) for vendor, twin in TWINS.items() if world.of_vendor(vendor)
        }
        slack = SlackInbox(self.journal, **self._settings["slack"])
        self.slack = self._server("slack", slack)
        self.slack_hook = self._server("slack_hook", slack, tls)
        self.pagerduty = self._server("pagerduty", PagerDutyInbox(self.journal, **self._settings["pagerduty"]), tls)
        self.teams = self._server("teams", TeamsInbox(self.journal, **self._settings["teams"]), tls)
        self.webhook = self._server("webhook", WebhookInbox(self.journal, **self._settings["webhook"]), tls)
        self.mail = MailInbox(self.journal, self.faults, tls=tls, port=self._ports.get("mail", 0), **self._settings["mail"])
        self.twilio_inbox = TwilioInbox(self.journal, **self._settings["twilio"])
        self.twilio = self._server("twilio", self.twilio_inbox)
        self.syslog = SyslogInbox(self.journal, self.faults, tls=tls, ports=self._ports)
        self._servers += [self.mail, self.syslog]

    @staticmethod
    def _certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
        path, key = folder / "ca.pem", folder / "ca.key"
        authority = trustme.CA.from_pem(path.read_bytes(), key.read_bytes()) if key.exists() else trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        authority.cert_pem.write_to_path(str(path))
        authority.private_key_pem.write_to_path(str(key))
        return path, context

    def _server(self, name: str, twin: Any, tls: ssl.SSLContext | None = None) -> Server:
        server = Server(twin, journal=self.journal, faults=self.faults, port=self._ports.get(name, 0), tls=tls, clock=self.clock)
        self._servers.append(server)
        return server

    def start(self) -> Self:
        for server in self._servers:
            server.start()
        return self

    def stop(self) -> None:
        for server in self._servers:
            server.stop()
        self.journal.close()
        self._folder.cleanup()

    def addresses(self) -> dict[str, Any]:
        """Where everything listens, and the inboxes' pretend secrets."""
        return {
            **{vendor: server.url for vendor, server in self.twins.items()},
            "slack": f"{self.slack.url}/api/",
            "slack_hook": f"{self.slack_hook.url}/services/",
            "pagerduty": self.pagerduty.url,
            "teams": f"{self.teams.url}/workflows/simulated",
            "webhook": f"{self.webhook.url}/",
            "mail": f"127.0.0.1:{self.mail.port}",
            "twilio": self.twilio.url,
            **{f"syslog_{transport}": f"127.0.0.1:{port}" for transport, port in self.syslog.ports.items()},
            "ca_pem": str(self.ca_pem),
            "inboxes": self._settings,
        }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
