"""`arctl poll`: read vendors' alerts and Red Canary's detections by hand, or in place of beat."""

from __future__ import annotations

import dataclasses
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

import click

from ..bootstrap import build, doorbell_at
from ..domain.endpoints import Vendor
from ..feeds import redcanary
from ..pipeline.poll import Report, read_feed
from ..pipeline.poll import poll as poll_when_due
from ..settings import load_settings
from .connection import redis_url
from .names import Names, no_such
from .output import print_json_line, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..pipeline.services import Services

Key = tuple[str, str]
FEED = Names("feed", [*Vendor, redcanary.NAME])


@click.command()
@click.option("--customer", help="Only this customer's feeds.")
@click.option("--feed", type=FEED, help="Only this feed: an EDR's name, or redcanary.")
@click.option("--once", is_flag=True, help="Read each feed once, even if it was polled a moment ago, and end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per call of a feed instead of a line.")
def poll(customer: str | None, feed: str | None, *, once: bool, as_json: bool) -> None:
    """Read what is new at every feed that the customers' files switch on with `poll = true`.

    Without --once it goes on until Ctrl-C. Where beat polls as well, each feed is read by one of them at a time.
    Exit status 1 if a feed failed.

    Example: arctl poll --customer acme --once
    """
    url = redis_url()
    services = dataclasses.replace(build(load_settings({**os.environ, "AR_REDIS_URL": url})), doorbell=doorbell_at(url))
    keys = _chosen(services, customer, feed)
    has_failed = False
    try:
        while True:
            for report in _round(services, keys, read_feed if once else poll_when_due):
                has_failed |= bool(report.error)
                _tell(report, as_json=as_json)
            if once:
                break
            time.sleep(services.poll_every.total_seconds())
    except KeyboardInterrupt:
        say("stopped", err=True)
    if has_failed:
        raise click.exceptions.Exit(1)


def _chosen(services: Services, customer: str | None, feed: str | None) -> list[Key]:
    if customer not in {None, *services.policies}:
        raise click.BadParameter(no_such("customer", str(customer), services.policies), param_hint="--customer")
    keys = [key for key in sorted(services.feeds) if customer in {None, key[0]} and feed in {None, key[1]}]
    if not keys:
        known = ", ".join("/".join(key) for key in sorted(services.feeds)) or "none: no section of a customer's file has `poll = true`"
        raise click.UsageError(f"no such feed; polled are {known}")
    return keys


def _round(services: Services, keys: Sequence[Key], read: Callable[[Services, str, str], Report]) -> Iterator[Report]:
    """Each feed once, all at a time: a vendor that hangs keeps no other waiting."""
    with ThreadPoolExecutor(len(keys)) as pool:
        calls = [pool.submit(read, services, *key) for key in keys]
        for call in as_completed(calls):
            yield call.result()


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json_line(report)
    elif not report.is_early:
        say(_line(report))
        for each in report.refused:
            say(f"{report.customer}/{report.feed}: record {each.id} refused: {each.field}: {each.reason}", err=True)


def _line(report: Report) -> str:
    counts = f"{report.accepted} accepted, {report.duplicates} known, {len(report.refused)} refused, {report.pages} pages"
    more = "; more is there, the next call goes on" if report.is_more and not report.error else ""
    return f"{report.customer}/{report.feed}: {counts}{more}" + (f"; ended by: {report.error}" if report.error else "")
