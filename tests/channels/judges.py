"""Whether what a channel renders is valid for its provider, and whole in its essentials: one judge per channel."""

from __future__ import annotations

import json
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from ar_workers.channels.base import essentials
from ar_workers.channels.gsm7 import transliterated
from ar_workers.channels.outcomes import encoded
from ar_workers.channels.templating import escaped
from ar_workers.simulator.inboxes.slack import _block_problem
from ar_workers.simulator.inboxes.syslog import parsed
from ar_workers.simulator.inboxes.teams import TeamsInbox
from ar_workers.simulator.server import Request
from tests.builders import a_delivery

UNPRINTABLE = "\0\x1b\u202e\u2066\u2028\ud800"


class Nowhere:
    def append(self, *_, **__):
        pass


def is_clean(text):
    return not set(UNPRINTABLE) & set(text)


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


TAGS = {"html", "head", "meta", "title", "body", "h1", "h2", "table", "tr", "th", "td", "p", "a", "ul", "li", "strong", "span", "br"}
ATTRIBUTES = {"lang", "charset", "name", "content", "style", "scope", "href"}


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


def _slack(channel, note):
    message = channel.render(note)
    assert _block_problem(message["blocks"]) is None
    link = f"<{note.threat.url}>" if note.threat else "none"
    marked = [block["text"]["text"] for block in message["blocks"] if block["text"]["type"] == "mrkdwn"]
    assert not any("<" in text.replace(link, "") or ">" in text.replace(link, "") for text in [*marked, message["text"]])
    assert is_clean(json.dumps(message, ensure_ascii=False))
    lines = "\n".join(marked).split("\n")
    assert lines[: len(essentials(note))] == [
        f"*{label}:* {link if label == 'Threat' else escaped(value)}" for label, value in essentials(note)
    ]


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


def _pagerduty(channel, note):
    event = channel.render(note)
    if note.threat is None:
        assert event is None
        return
    assert len(event["payload"]["summary"]) <= 1024
    assert len(encoded(event)) <= 512_000
    details = event["payload"]["custom_details"]
    assert (details["threat_url"], details["severity"]) == (note.threat.url, str(note.threat.severity))
    assert details["classification"] == note.threat.classification


def _webhook(channel, note):
    raw = encoded(channel.render(a_delivery("webhook").model_copy(update={"notification": note})))
    assert len(raw) < 20_000
    data = json.loads(raw)["data"]
    told = dict(essentials(note))
    assert (data["threat"] or {}).get("classification") == told.get("Classification")
    assert (data["threat"] or {}).get("url") == told.get("Threat")
    assert is_clean(json.dumps(data, ensure_ascii=False))


def _sms(channel, note):
    text = channel.render(note, "acme:sms:1")
    assert len(text.encode("utf-16-le")) // 2 <= 1600
    assert is_clean(text)
    told = dict(essentials(note))
    if told:
        assert text.startswith((f"HIGH {told['Classification']}\n", f"HIGH {transliterated(told['Classification'])}\n"))
        assert told["Threat"] in text.split("\n")


def _voice(channel, note):
    twiml = channel.render(note)
    assert len(twiml) <= 4000
    said = [each.text for each in ET.fromstring(twiml).iter("Say")]
    assert len(said) == 2
    assert not note.threat or "high severity" in said[0]


def _syslog(channel, note):
    raw = channel.render(note, "acme:syslog:1")
    assert len(raw) <= 8192
    message = parsed(raw)
    assert is_clean(raw.decode())
    if note.threat:
        assert note.threat.url in str(message).replace("\\\\", "\\")


#: Each is given the channel of the rig of the same name, and a notification.
JUDGES = {
    "email": _mail,
    "pagerduty": _pagerduty,
    "slack": _slack,
    "slack hook": _slack,
    "sms": _sms,
    "syslog": _syslog,
    "syslog tcp": _syslog,
    "teams": _teams,
    "voice": _voice,
    "webhook": _webhook,
}
