"""What is said of a mistake in the settings, so that one can mend it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from ..domain.channels import ADDRESSES
from ..domain.routes import Route
from .sections import Automations, CustomerFile, Protect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .sections import ReceiverSection

#: `routes`, and its number.
_OF_A_ROUTE = 2


def address_problem(named: tuple[str, ReceiverSection]) -> str | None:
    """What is wrong with the address of a named receiver, if anything."""
    name, section = named
    where, to = f"receivers.{name}.to", section.to or ""
    wanted = None if "webhook_url" in (section.model_extra or {}) else ADDRESSES.get(section.channel)
    if wanted is None:
        return f"{where}: a receiver of this kind has no address beside its options" if to else None
    try:
        wanted.form.validate_python(to)
    except ValidationError:
        return f"{where}: must be {wanted.words}"
    return None


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
