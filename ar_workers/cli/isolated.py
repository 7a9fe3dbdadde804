"""`arctl isolated`: which endpoints are off the network now, as their EDR last showed it, and how each is released."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from ..domain.actions import IsolateEndpoint, ReleaseEndpoint
from ..domain.endpoints import Endpoint, Vendor
from ..domain.errors import ARError
from ..domain.facts import Sight
from .connection import open_ledger, redis_url
from .names import CUSTOMER
from .output import json_option, moment, print_json, print_table, progress, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.rows import Containment
    from ..pipeline.services import Services
    from ..ports import EDR, Ledger
    from .output import Cell

Listed = tuple[str, "Containment"]


@click.command()
@click.option("--customer", type=CUSTOMER, help="Only this customer.")
@click.option("--check", is_flag=True, help="Ask the EDR about each of them now, and write down what it shows.")
@json_option
def isolated(customer: str | None, *, check: bool, as_json: bool) -> None:
    """List the endpoints that are isolated, the longest first.

    It is what the EDR showed when it was last asked, whatever threat or person moved the endpoint; one that somebody isolates or
    releases in the EDR's console is seen when the EDR is next asked. --check asks now, and exits with 1 if one could not be asked.

    Example: arctl isolated --customer acme --check
    """
    ledger = open_ledger()
    problems = _check(ledger, list(_listed(ledger, customer))) if check else []
    found = list(_listed(ledger, customer))
    if as_json:
        print_json({"endpoints": [_document(*each) for each in found], "problems": problems})
    else:
        _show(found)
        for problem in problems:
            say(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)


def _listed(ledger: Ledger, customer: str | None) -> Iterator[Listed]:
    for name in [customer] if customer else ledger.customers():
        for each in ledger.isolated(name):
            yield name, each


def _show(found: list[Listed]) -> None:
    if not found:
        say("no endpoint is isolated, as far as the EDRs were asked")
        return
    columns = ("Endpoint", "Customer", "EDR", "Isolated since (UTC)", "For threat", "EDR last asked (UTC)", "It showed", "Release it with")
    print_table("", columns, (_line(*each) for each in found), prose="It showed")


def _line(customer: str, each: Containment) -> tuple[Cell, ...]:
    edr, _, _ = each.lane.partition("/")
    since = moment(each.since) + ("" if each.is_ours else " or before")
    threat = each.threat_id + ("" if each.is_ours or not each.threat_id else " (found so)")
    return each.hostname, customer, edr, since, threat or "not known", moment(each.at), each.evidence, _release(customer, each)


def _release(customer: str, each: Containment) -> str:
    """The command to type."""
    edr, _, agent_id = each.lane.partition("/")
    return shlex.join(["arctl", "release", "--customer", customer, "--edr", edr, "--agent-id", agent_id])


def _document(customer: str, each: Containment) -> dict[str, Any]:
    edr, _, agent_id = each.lane.partition("/")
    return {
        "customer": customer,
        "edr": edr,
        "agent_id": agent_id,
        "hostname": each.hostname,
        "since": each.since and each.since.isoformat(),
        "is_ours": each.is_ours,
        "threat": each.threat_id or None,
        "last_asked": each.at.isoformat(),
        "evidence": each.evidence,
        "release": _release(customer, each),
    }


def _check(ledger: Ledger, listed: list[Listed]) -> list[str]:
    """What could not be asked, and why."""
    from ..bootstrap import build  # noqa: PLC0415 - all that can be configured, and the list alone needs none of it
    from ..settings import load_settings  # noqa: PLC0415

    services = build(load_settings({**os.environ, "AR_REDIS_URL": redis_url()})) if listed else None
    checked = (_asked(services, ledger, *each) for each in listed) if services else iter(())
    return [problem for problem in progress(checked, total=len(listed), label="asking the EDRs") if problem]


def _asked(services: Services, ledger: Ledger, customer: str, each: Containment) -> str:
    """Why the EDR could not be asked, or nothing."""
    vendor, _, agent_id = each.lane.partition("/")
    edr = services.edrs.get((customer, Vendor(vendor)))
    if edr is None:
        return f"{each.hostname}: {customer} has no {vendor} configured any more, it cannot be asked"
    try:
        is_isolated, evidence = _sight(customer, edr, Endpoint(edr=Vendor(vendor), agent_id=agent_id, hostname=each.hostname))
    except ARError as error:
        return f"{each.hostname}: {type(error).__name__}: {error}"
    ledger.showed(customer, each, is_isolated=is_isolated, evidence=evidence)
    return ""


def _sight(customer: str, edr: EDR, endpoint: Endpoint) -> tuple[bool, str]:
    """Off the network unless the EDR shows the opposite: what is on its way is not there yet."""
    off = edr.observe(IsolateEndpoint(customer=customer, edr=endpoint.edr, endpoint=endpoint), None)
    if off.sight is not Sight.ABSENT:
        return True, off.evidence
    on = edr.observe(ReleaseEndpoint(customer=customer, edr=endpoint.edr, endpoint=endpoint), None)
    return on.sight not in {Sight.PRESENT, Sight.UNKNOWABLE}, on.evidence
