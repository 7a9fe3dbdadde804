"""A customer's own webhook."""

from __future__ import annotations

import base64
import json

from ar_workers.channels import webhook
from ar_workers.channels.base import essentials
from ar_workers.channels.outcomes import encoded
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import a_delivery

from .base import AWAY, BROKEN, CANARY, ELSEWHERE, MOVED, TOO_OFTEN, Kit, Rig, an_egress, is_clean

SECRET = "whsec_" + base64.b64encode(f"{CANARY}-of-at-least-24-bytes".encode()).decode()
SECRETS = (CANARY, SECRET, SECRET.removeprefix("whsec_"))


def a_webhook(simulation):
    config = webhook.Config(url=f"{simulation.inboxes['webhook'].url}/hooks/ar?token={CANARY}", secrets=[SECRET])
    return Rig(
        webhook.Webhook(config, an_egress(simulation, simulation.inboxes["webhook"])),
        simulation,
        "webhook",
        a_delivery("webhook"),
        secrets=SECRETS,
    )


def _webhook(channel, note):
    raw = encoded(channel.render(a_delivery("webhook").model_copy(update={"notification": note})))
    assert len(raw) < 20_000
    data = json.loads(raw)["data"]
    told = dict(essentials(note))
    assert (data["threat"] or {}).get("classification") == told.get("Classification")
    assert (data["threat"] or {}).get("url") == told.get("Threat")
    assert is_clean(json.dumps(data, ensure_ascii=False))


KIT = Kit(
    inbox="webhook",
    settings={"secrets": [SECRET]},
    rigs={"webhook": a_webhook},
    outcomes=(
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
    ),
    judge=_webhook,
)
