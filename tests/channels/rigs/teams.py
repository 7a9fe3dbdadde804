"""A Workflows webhook of Teams."""

from __future__ import annotations

import json

from ar_workers.channels import teams
from ar_workers.channels.base import essentials
from ar_workers.channels.outcomes import encoded
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from ar_workers.simulator.inboxes.teams import TeamsInbox
from ar_workers.simulator.server import Request
from tests.builders import a_delivery

from .base import AWAY, BROKEN, CANARY, MOVED, TOO_OFTEN, Kit, Rig, an_egress, is_clean


def a_teams(simulation):
    config = teams.Config(url=f"{simulation.inboxes['teams'].url}/workflows/w?api-version=1&sig={CANARY}")
    return Rig(teams.Teams(config, an_egress(simulation, simulation.inboxes["teams"])), simulation, "teams", a_delivery("teams"))


class Nowhere:
    def append(self, *_, **__):
        pass


def _teams(channel, note):
    message = channel.render(note, "acme:teams:1")
    reply = TeamsInbox(Nowhere(), sig="").answer(Request("POST", "/", {}, {}, encoded(message), ""))
    assert (reply.status, reply.body) == (202, b"")
    assert len(encoded(message)) <= 25_000
    card = message["attachments"][0]["content"]
    texts = ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]
    assert texts[1 : 1 + len(essentials(note))] == [f"{label}: {value}".replace("{{", "{\u2060{") for label, value in _inert(note)]
    assert "{{" not in json.dumps(message)
    assert is_clean(json.dumps(message, ensure_ascii=False))


def _inert(note):
    return [(label, value.replace("{{{", "{\u2060{\u2060{")) for label, value in essentials(note)]


KIT = Kit(
    inbox="teams",
    settings={"sig": CANARY},
    rigs={"teams": a_teams},
    outcomes=(
        ("teams", TOO_OFTEN, Answer.RETRY),
        ("teams", AWAY, Answer.RETRY),
        ("teams", BROKEN, Answer.UNKNOWN),
        ("teams", Fault(action="reply", status=401, body="{}"), Answer.PERMANENT),
        ("teams", Fault(action="reply", status=404, body="{}"), Answer.PERMANENT),
        ("teams", MOVED, Answer.PERMANENT),
        ("teams", Fault(action="reset_before"), Answer.UNKNOWN),
        ("teams", Fault(action="reset_after"), Answer.UNKNOWN),
        ("teams", Fault(action="hang_after", seconds=1.5), Answer.UNKNOWN),
    ),
    judge=_teams,
)
