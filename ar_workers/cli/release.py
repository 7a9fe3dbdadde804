"""`arctl release`: a person gives an isolated endpoint its network back, so that no late isolation undoes it."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from ..bootstrap import build, doorbell_at
from ..domain.endpoints import Endpoint, Vendor
from ..domain.errors import ARError, EDRError, EndpointNotFound
from ..domain.events import ReleaseRequested
from ..domain.people import Decision
from ..domain.rehearsals import is_rehearsal
from ..pipeline.ingest import ingest
from ..settings import load_settings
from .connection import redis_url
from .deciding import decider
from .names import EDR, no_such
from .output import json_option, print_json, say

if TYPE_CHECKING:
    from ..pipeline.services import Services


@click.command()
@click.option("--customer", required=True, help="Whose endpoint it is.")
@click.option("--edr", type=EDR, required=True, help="The EDR that isolates it.")
@click.option("--agent-id", required=True, help="The endpoint's id at that EDR; never a hostname.")
@click.option("--threat", help="The threat that it was isolated for. Default: the endpoint's own timeline.")
@click.option("--live", is_flag=True, help="Of a customer in dry run: release it all the same.")
@click.option("--reason", default="no reason given", help="Recorded in the timeline, with your name.")
@json_option
def release(customer: str, edr: str, agent_id: str, threat: str | None, reason: str, *, live: bool, as_json: bool) -> None:
    """Release an isolated endpoint.

    Do it here rather than in the EDR's console: what was to isolate the endpoint before, and has not begun, never will
    then; it ends as released by you. Every call is a request of its own, and one for an endpoint that is free changes
    nothing. The kill switch lets it through. Of a customer in dry run it is rehearsed as all else: with --live it is done, for
    what was isolated before the dry run. Exit status 1 if the customer, EDR, endpoint or threat is not known.

    Example: arctl release --customer acme --edr crowdstrike --agent-id 0123456789abcdef0123456789abcdef --reason "false alarm"
    """
    url, by = redis_url(), decider(Decision.RELEASE)
    services = build(load_settings({**os.environ, "AR_REDIS_URL": url}))
    endpoint, doubt = _endpoint(services, customer, Vendor(edr), agent_id)
    if threat and services.ledger.threat(customer, threat) is None:
        raise ARError(f"{customer} has no threat {threat}: `arctl threats` lists what is known")
    event = _event(customer, endpoint, threat, reason, by, live=live)
    is_dry = is_rehearsal(event, services.policies[customer])
    result = ingest(services.ledger, doorbell_at(url), [event], by=by)[0]
    if as_json:
        print_json({"event": event.id, "result": str(result), "threat": event.threat_id, "doubt": doubt, "dry_run": is_dry})
        return
    if doubt:
        say(f"{agent_id}: {doubt}", err=True)
    if is_dry:
        say(f"DRY RUN: {customer} is in dry run, and {endpoint.hostname} is not released; --live releases it all the same")
    what = "dry run of the release" if is_dry else "release"
    say(f"{endpoint.hostname}: {what} {result}; `arctl threats show {event.threat_id} --customer {customer}` shows what becomes of it")


def _endpoint(services: Services, customer: str, vendor: Vendor, agent_id: str) -> tuple[Endpoint, str]:
    """The endpoint as its EDR shows it, and what is in doubt: an EDR that is away must not keep a person from asking."""
    if customer not in services.policies:
        raise ARError(no_such("customer", customer, services.policies))
    edr = services.edrs.get((customer, vendor))
    if edr is None:
        theirs = sorted(each for owner, each in services.edrs if owner == customer)
        raise ARError(f"{customer} has no {vendor}: it has {', '.join(theirs) or 'no EDR'}")
    unseen = _named(vendor, agent_id)
    try:
        return edr.endpoint(agent_id), ""
    except EndpointNotFound as error:
        raise ARError(f"no such endpoint: {error}") from None
    except EDRError as error:
        return unseen, f"the EDR cannot be asked now, the release is recorded unseen: {error}"


def _named(vendor: Vendor, agent_id: str) -> Endpoint:
    try:
        return Endpoint(edr=vendor, agent_id=agent_id, hostname=agent_id)
    except ValidationError as error:
        raise click.BadParameter(error.errors()[0]["msg"], param_hint="--agent-id") from None


def _event(customer: str, endpoint: Endpoint, threat: str | None, reason: str, by: str, *, live: bool) -> ReleaseRequested:
    """With an id of its own for every call: a person who asks again means it."""
    try:
        return ReleaseRequested(
            id=f"release-{uuid.uuid4().hex}",
            customer=customer,
            occurred_at=datetime.now(UTC),
            endpoint=endpoint,
            requested_by=by,
            reason=reason,
            threat_ref=threat,
            for_real=live,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise click.BadParameter(first["msg"], param_hint=f"--{str(first['loc'][0]).removesuffix('_ref')}") from None
