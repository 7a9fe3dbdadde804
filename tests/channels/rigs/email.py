"""Mail by a relay."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

from ar_workers.channels import email
from ar_workers.channels.base import essentials
from ar_workers.domain.results import Answer
from ar_workers.simulator import Fault
from tests.builders import NOON, a_delivery

from .base import CANARY, Kit, Rig, is_clean

SETTINGS = {"user": "ar", "password": CANARY}
TAGS = {"html", "head", "meta", "title", "body", "h1", "h2", "table", "tr", "th", "td", "p", "a", "ul", "li", "strong", "span", "br"}
ATTRIBUTES = {"lang", "charset", "name", "content", "style", "scope", "href"}


def a_mail(simulation):
    config = email.Config(
        host="127.0.0.1",
        port=simulation.inboxes["mail"].port,
        sender="tre@ar.example",
        user="ar",
        password=CANARY,
        ca_file=simulation.ca_pem,
        timeout=2,
    )
    return Rig(email.Email(config, now=lambda: NOON), simulation, "mail", a_delivery("email", "soc@acme.example"))


def _mail(channel, note):
    delivery = a_delivery("email", "soc@acme.example").model_copy(update={"notification": note})
    message = channel.render(delivery, "acme:email:1")
    raw = message.as_bytes()
    assert raw.count(b"\r\nSubject:") == 1
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    text, html = (message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    assert is_clean(text)
    for label, value in essentials(note):
        assert f"\n{label}: {value}\n" in text
        assert value in unescape(html)
    _judge_html(html, note)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.links, self.attributes = [], set(), [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _judge_html(html, note):
    """Nested well, of our tags only, and with no link but the threat's."""
    page = _Page()
    page.feed(html)
    page.close()
    assert page.open == []
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert page.links == ([note.threat.url] if note.threat else [])
    assert is_clean(html)


KIT = Kit(
    inbox="mail",
    settings=SETTINGS,
    rigs={"email": a_mail},
    outcomes=(
        ("email", Fault(action="reply", status=451, body="later"), Answer.RETRY),
        ("email", Fault(action="reply", status=554, body="never"), Answer.PERMANENT),
        ("email", Fault(action="reset_after"), Answer.UNKNOWN),
    ),
    judge=_mail,
)
