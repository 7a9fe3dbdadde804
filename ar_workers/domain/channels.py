"""The channels by name, and what an address on each looks like."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from .text import MailAddress

#: Every channel by its name.
ChannelName = Literal["slack", "pagerduty", "email", "teams", "webhook", "sms", "voice", "syslog"]


class Address(NamedTuple):
    """What it must be, and that in words."""

    form: TypeAdapter[str]
    words: str


def _text(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, Field(pattern=f"^({pattern})$")])


_PHONE = Address(_text(r"\+[1-9][0-9]{6,14}"), "one phone number such as +4930123456")
#: A channel that is not named here has none: a receiver's options say it all.
ADDRESSES: dict[str, Address] = {
    "email": Address(TypeAdapter(MailAddress), "one mail address such as soc@acme.example"),
    "slack": Address(_text(r"[CDG][A-Z0-9]{2,30}"), "the id of a Slack channel such as C0123456789"),
    "sms": _PHONE,
    "voice": _PHONE,
    "syslog": Address(_text(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?"), "host or host:port of a syslog receiver"),
}
