"""A pretend gong."""

from __future__ import annotations

import json

from ..inbox import over_https
from ..journal import Journal
from ..server import Reply, Request, Untenanted, json_reply


class GongInbox(Untenanted):
    """`POST` with JSON: 200, and it has sounded."""

    vendor = "gong"

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def answer(self, request: Request) -> Reply:
        if request.method != "POST":
            return json_reply(404, {})
        body = json.loads(request.body)
        self._journal.append("message", vendor=self.vendor, tenant="", channel="gong", id=body["id"], subject=body["headline"], body=body)
        return json_reply(200, {})


INBOX = over_https("gong", GongInbox)
