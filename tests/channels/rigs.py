"""One rig per channel, or form of one, as a written list: the channel at its inbox, and what the contract suite expects of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from ar_workers.channels import email, pagerduty, slack, sms, syslog, teams, voice, webhook
from ar_workers.channels.egress import Egress
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault, Simulation, World
from tests.builders import NOON, a_delivery

CANARY = "canary-7f3a9"
SECRET = "whsec_" + base64.b64encode(f"{CANARY}-of-at-least-24-bytes".encode()).decode()
INBOXES = {
    "slack": {"token": f"xoxb-{CANARY}", "channels": ["C-TRE"], "hook": f"T0/B0/{CANARY}"},
    "pagerduty": {"routing_key": f"{CANARY}-routing-key-0123456789"},
    "mail": {"user": "ar", "password": CANARY},
    "teams": {"sig": CANARY},
    "webhook": {"secrets": [SECRET]},
    "twilio": {
        "account_sid": "AC" + "7" * 32,
        "auth_token": CANARY,
        "refusals": {"+15005550010": 21610, "+15005550008": 21408, "+15005550004": 20429},
    },
}


def a_world():
    return World.from_dict({"tenants": {}, "inboxes": INBOXES})


@dataclass
class Rig:
    channel: Any
    simulation: Simulation
    vendor: str
    delivery: Any
    #: What leads to the threat.
    link: str = "https://acme.ar.example/threats/1042"
    #: Words that must not be seen anywhere.
    secrets: tuple[str, ...] = field(default=(CANARY, SECRET, SECRET.removeprefix("whsec_")))

    def messages(self):
        """What has arrived. What nobody acknowledges may be on its way yet."""
        if self.vendor == "syslog":
            self.simulation.journal.wait_for(lambda each: each["kind"] == "request", timeout=3)
        return self.simulation.journal.messages(vendor=self.vendor)

    def requests(self):
        return self.simulation.journal.requests(vendor=self.vendor)


def an_egress(simulation, server, **more):
    defaults = {"allowed": ["127.0.0.0/8"], "ports": [server.port], "ca_file": simulation.ca_pem, "read": 1.0}
    return Egress(**(defaults | more))


def a_slack(simulation):
    config = slack.Config(token=INBOXES["slack"]["token"], channel="C-TRE", base_url=f"{simulation.slack.url}/api/", timeout=1)
    return Rig(slack.Slack(config), simulation, "slack", a_delivery("slack"))


def a_slack_hook(simulation):
    config = slack.Config(webhook_url=f"{simulation.slack_hook.url}/services/{INBOXES['slack']['hook']}")
    return Rig(slack.Slack(config, an_egress(simulation, simulation.slack_hook)), simulation, "slack", a_delivery("slack"))


def a_pagerduty(simulation):
    key = INBOXES["pagerduty"]["routing_key"]
    config = pagerduty.Config(routing_key=key, base_url=simulation.pagerduty.url, ca_file=simulation.ca_pem, timeout=1)
    return Rig(pagerduty.PagerDuty(config), simulation, "pagerduty", a_delivery("pagerduty"))


def a_mail(simulation):
    config = email.Config(
        host="127.0.0.1",
        port=simulation.mail.port,
        sender="tre@ar.example",
        user="ar",
        password=CANARY,
        ca_file=simulation.ca_pem,
        timeout=2,
    )
    return Rig(email.Email(config, now=lambda: NOON), simulation, "mail", a_delivery("email", "soc@acme.example"))


def a_teams(simulation):
    config = teams.Config(url=f"{simulation.teams.url}/workflows/w?api-version=1&sig={CANARY}")
    return Rig(teams.Teams(config, an_egress(simulation, simulation.teams)), simulation, "teams", a_delivery("teams"))


def a_webhook(simulation):
    config = webhook.Config(url=f"{simulation.webhook.url}/hooks/ar?token={CANARY}", secrets=[SECRET])
    return Rig(webhook.Webhook(config, an_egress(simulation, simulation.webhook)), simulation, "webhook", a_delivery("webhook"))


def an_account(simulation, **more):
    account = {name: INBOXES["twilio"][name] for name in ("account_sid", "auth_token")}
    return {**account, "base_url": simulation.twilio.url, "timeout": 1, **more}


def an_sms(simulation):
    config = sms.Config(**an_account(simulation, from_number="+15005550006"))
    return Rig(sms.SMS(config), simulation, "twilio", a_delivery("sms", "+15005550001"))


def a_voice(simulation):
    config = voice.Config(**an_account(simulation, from_number="+15005550006"))
    return Rig(voice.Voice(config), simulation, "twilio", a_delivery("voice", "+15005550001"), link="see the console")


def a_syslog(simulation, **more):
    transport = more.get("transport", "tls")
    defaults = {"host": "127.0.0.1", "port": simulation.syslog.ports[transport], "ca_file": simulation.ca_pem, "timeout": 1, **more}
    channel = syslog.Syslog(syslog.Config(**defaults), now=lambda: NOON, is_allowed=lambda address: address.is_loopback)
    return Rig(channel, simulation, "syslog", a_delivery("syslog"))


def a_syslog_over_tcp(simulation):
    return a_syslog(simulation, transport="tcp", framing="lf", body="cef")


#: The name's first word is the channel's.
RIGS = {
    "email": a_mail,
    "pagerduty": a_pagerduty,
    "slack": a_slack,
    "slack hook": a_slack_hook,
    "sms": an_sms,
    "syslog": a_syslog,
    "syslog tcp": a_syslog_over_tcp,
    "teams": a_teams,
    "voice": a_voice,
    "webhook": a_webhook,
}

TOO_OFTEN = Fault(action="reply", status=429, headers={"Retry-After": "7"})
AWAY = Fault(action="reply", status=503, headers={"Retry-After": "7"}, body="<html>")
BROKEN = Fault(action="reply", status=503, body="<html>")
ELSEWHERE = Fault(action="redirect", status=302, headers={"Location": "https://elsewhere.example/"})
MOVED = Fault(action="redirect", status=308, headers={"Location": "https://127.0.0.1:1/"})

OUTCOMES = [
    ("slack", Fault(action="reply", status=429, headers={"Retry-After": "7"}, body='{"ok":false,"error":"ratelimited"}'), Answer.RETRY),
    ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"invalid_auth"}'), Answer.PERMANENT),
    ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"channel_not_found"}'), Answer.PERMANENT),
    ("slack", Fault(action="reply", status=200, body='{"ok":false,"error":"internal_error"}'), Answer.UNKNOWN),
    ("slack", BROKEN, Answer.UNKNOWN),
    ("slack", Fault(action="reset_after"), Answer.UNKNOWN),
    ("slack", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ("slack hook", TOO_OFTEN, Answer.RETRY),
    ("slack hook", AWAY, Answer.RETRY),
    ("slack hook", BROKEN, Answer.UNKNOWN),
    ("slack hook", Fault(action="reply", status=404, body="no_service"), Answer.PERMANENT),
    ("slack hook", ELSEWHERE, Answer.PERMANENT),
    ("slack hook", Fault(action="reset_after"), Answer.UNKNOWN),
    ("slack hook", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ("pagerduty", TOO_OFTEN, Answer.RETRY),
    ("pagerduty", Fault(action="reply", status=400, body="{}"), Answer.PERMANENT),
    ("pagerduty", BROKEN, Answer.RETRY),
    ("pagerduty", ELSEWHERE, Answer.PERMANENT),
    ("pagerduty", Fault(action="reset_after"), Answer.UNKNOWN),
    ("email", Fault(action="reply", status=451, body="later"), Answer.RETRY),
    ("email", Fault(action="reply", status=554, body="never"), Answer.PERMANENT),
    ("email", Fault(action="reset_after"), Answer.UNKNOWN),
    ("teams", TOO_OFTEN, Answer.RETRY),
    ("teams", AWAY, Answer.RETRY),
    ("teams", BROKEN, Answer.UNKNOWN),
    ("teams", Fault(action="reply", status=401, body="{}"), Answer.PERMANENT),
    ("teams", Fault(action="reply", status=404, body="{}"), Answer.PERMANENT),
    ("teams", MOVED, Answer.PERMANENT),
    ("teams", Fault(action="reset_before"), Answer.UNKNOWN),
    ("teams", Fault(action="reset_after"), Answer.UNKNOWN),
    ("teams", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ("webhook", TOO_OFTEN, Answer.RETRY),
    ("webhook", AWAY, Answer.RETRY),
    ("webhook", BROKEN, Answer.RETRY),
    ("webhook", Fault(action="reply", status=500, body="x" * 200_000), Answer.RETRY),
    ("webhook", Fault(action="reply", status=201, body="<html>"), Answer.ACCEPTED),
    ("webhook", Fault(action="reply", status=400, body="{}"), Answer.PERMANENT),
    ("webhook", Fault(action="reply", status=410), Answer.PERMANENT),
    ("webhook", ELSEWHERE, Answer.PERMANENT),
    ("webhook", MOVED, Answer.PERMANENT),
    ("webhook", Fault(action="reset_after"), Answer.UNKNOWN),
    ("webhook", Fault(action="hang_before", seconds=1.5), Answer.UNKNOWN),
    ("sms", TOO_OFTEN, Answer.RETRY),
    ("sms", BROKEN, Answer.UNKNOWN),
    ("sms", AWAY, Answer.UNKNOWN),
    ("sms", Fault(action="reply", status=400, body='{"code":21211,"message":"no","status":400}'), Answer.PERMANENT),
    ("sms", Fault(action="reply", status=401, body="{}"), Answer.PERMANENT),
    ("sms", Fault(action="reply", status=201, body="{}"), Answer.UNKNOWN),
    ("sms", Fault(action="reply", status=201, body="<html>"), Answer.UNKNOWN),
    ("sms", ELSEWHERE, Answer.PERMANENT),
    ("sms", Fault(action="reset_before"), Answer.UNKNOWN),
    ("sms", Fault(action="reset_after"), Answer.UNKNOWN),
    ("sms", Fault(action="truncate"), Answer.UNKNOWN),
    ("sms", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ("voice", TOO_OFTEN, Answer.RETRY),
    ("voice", BROKEN, Answer.UNKNOWN),
    ("voice", AWAY, Answer.UNKNOWN),
    ("voice", Fault(action="reply", status=400, body='{"code":21211,"message":"no","status":400}'), Answer.PERMANENT),
    ("voice", Fault(action="reply", status=401, body="{}"), Answer.PERMANENT),
    ("voice", Fault(action="reply", status=201, body="{}"), Answer.UNKNOWN),
    ("voice", Fault(action="reply", status=201, body="<html>"), Answer.UNKNOWN),
    ("voice", ELSEWHERE, Answer.PERMANENT),
    ("voice", Fault(action="reset_before"), Answer.UNKNOWN),
    ("voice", Fault(action="reset_after"), Answer.UNKNOWN),
    ("voice", Fault(action="truncate"), Answer.UNKNOWN),
    ("voice", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ("syslog", Fault(action="reset_before"), Answer.UNKNOWN),
    ("syslog", Fault(action="reset_after"), Answer.UNKNOWN),
    ("syslog tcp", Fault(action="reset_before"), Answer.UNKNOWN),
    ("syslog tcp", Fault(action="hang_after", seconds=0.1), Answer.UNKNOWN),
]
