"""The domains that a customer's file names: of its mail addresses, its EDRs, its portal and its log server."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..domain.domains import dns_name, host_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .sections import CustomerFile


def named_domains(parsed: CustomerFile, options: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Domain -> the key that names it first. `options` are those of the EDRs and the portal by section, with references resolved."""
    found: dict[str, str] = {}
    for text, where in (*_mail(parsed), *_addresses(options)):
        with contextlib.suppress(ValueError):
            found.setdefault(dns_name(text), where)
    return found


def _mail(parsed: CustomerFile) -> Iterator[tuple[str, str]]:
    knobs = parsed.automations
    for name, emails in (
        ("notify_customer_of_note", knobs.notify_customer_of_note.emails),
        ("unsupported_os", knobs.unsupported_os.emails),
    ):
        yield from ((each.rpartition("@")[2], f"automations.{name}.emails") for each in emails)
    for name, section in parsed.receivers.items():
        if section.channel == "email" and section.to:
            yield section.to.rpartition("@")[2], f"receivers.{name}"
        if section.channel == "syslog" and section.to:
            yield host_of(section.to), f"receivers.{name}"


def _addresses(options: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What is a secret is hidden by now, and is no text."""
    for section, given in options.items():
        yield from ((host_of(value), f"{section}.{key}") for key, value in given.items() if key.endswith("_url") and isinstance(value, str))
