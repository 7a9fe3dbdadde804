"""A POST through the guard to a server of our own."""

from __future__ import annotations

from ar_workers.channels.egress import Egress
from ar_workers.simulator.server import Reply, Request

SECRET = "canary-5d1c2"
NAME = "hooks.acme.example"
BODY = b'{"a":1}'


def an_egress(authority, port, *answers, **more):
    """Resolves every name to the answers, in order; the last one stays."""
    left = [list(each) for each in answers or [("127.0.0.1",)]]
    defaults = {
        "allowed": ["127.0.0.0/8"],
        "ports": [port],
        "ca_file": authority[1],
        "resolve": lambda *_: left.pop(0) if len(left) > 1 else left[0],
    }
    return Egress(**(defaults | more))


def a_post(egress, url):
    return egress.post(url, BODY, {"Content-Type": "application/json"})


class Ear:
    """A twin that remembers what it was asked, and answers what it was told to."""

    vendor = "ear"

    def __init__(self):
        self.heard: list[Request] = []
        self.reply = Reply(200, b"fine", {"X-Case": "Kept"})

    def tenant_of(self, request):
        return ""

    def answer(self, request):
        self.heard.append(request)
        return self.reply
