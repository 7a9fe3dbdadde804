"""What is said of a mistake in the settings, so that one can mend it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..domain.routes import Route
from ..domain.text import MailAddress
from .sections import Automations, CustomerFile, Protect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .sections import ReceiverSection

_MAIL: TypeAdapter[str] = TypeAdapter(MailAddress)
_FORMS = {
    "sms": (re.compile(r"\+[1-9][0-9]{6,14}"), "one phone number such as +4930123456"),
    "voice": (re.compile(r"\+[1-9][0-9]{6,14}"), "one phone number such as +4930123456"),
    "slack": (re.compile(r"[CDG][A-Z0-9]{2,30}"), "the id of a Slack channel such as C0123456789"),
    "syslog": (re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?"), "host or host:port of a syslog receiver"),
}
#: `routes`, and its number.
_OF_A_ROUTE = 2


def address_problem(named: tuple[str, ReceiverSection]) -> str | None:
    """What is wrong with the address of a named receiver, if anything."""
    name, section = named
    where, to = f"receivers.{name}.to", section.to or ""
    if section.channel == "email":
        try:
            _MAIL.validate_python(to)
        except ValidationError:
            return f"{where}: must be one mail address such as soc@acme.example"
        return None
    if section.channel in {"pagerduty", "teams", "webhook"} or "webhook_url" in (section.model_extra or {}):
        return f"{where}: a receiver of this kind has no address beside its options" if to else None
    form, said = _FORMS[section.channel]
    return None if form.fullmatch(to) else f"{where}: must be {said}"


def problem(error: Any) -> str:
    """An error of pydantic's in a customer's file, and what is known in its place."""
    where = [str(part) for part in error["loc"]]
    dotted = ".".join(where)
    if error["type"] != "extra_forbidden":
        return f"{dotted}: {error['msg']}"
    parent, key = where[:-1], where[-1]
    if parent[:1] == ["automations"] and len(parent) > 1:
        knobs = list(_knobs(parent[1]))
        can = f"only {', '.join(knobs)} can be set" if knobs else "nothing of it can be set"
        return f"{dotted}: this automation is managed by the service; {can}"
    sections: dict[tuple[str, ...], type[BaseModel]] = {(): CustomerFile, ("automations",): Automations, ("protect",): Protect}
    known = sections.get(tuple(parent)) or (Route if parent[:1] == ["routes"] and len(parent) == _OF_A_ROUTE else None)
    return f"{dotted}: is not known{nearest(key, [each.alias or name for name, each in known.model_fields.items()]) if known else ''}"


def _knobs(automation: str) -> Iterator[str]:
    field = Automations.model_fields.get(automation)
    if field and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        yield from field.annotation.model_fields


def nearest(name: str, known: list[str]) -> str:
    """How to go on after `name` was not known."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
