"""`arctl poll`: read vendors' alerts and Red Canary's detections by hand, or in place of beat."""

from __future__ import annotations

import dataclasses
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

import click

from ..bootstrap import Live, build, doorbell_at, ledger_at
from ..domain.endpoints import Vendor
from ..feeds import redcanary
from ..pipeline.poll import Report, read_feed
from ..pipeline.poll import poll as poll_when_due
from ..posture import refuse_unsafe
from ..settings import load_settings, load_system
from .connection import redis_url
from .names import Names, no_such
from .output import print_json_line, say
from .refused import Chosen, forget, kept_lists, read_again, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..pipeline.services import Services

Key = tuple[str, str]
FEED = Names("feed", [*Vendor, redcanary.NAME])


@click.command()
@click.option("--customer", help="Only this customer's feeds.")
@click.option("--feed", type=FEED, help="Only this feed: an EDR's name, or redcanary.")
@click.option("--once", is_flag=True, help="Read each feed once, even if it was polled a moment ago, and end.")
@click.option("--refused", is_flag=True, help="Read nothing: show the records that could not be read, and are kept.")
@click.option("--again", "what", flag_value="again", help="With --refused: read them again. What can be read now leaves the list.")
@click.option("--forget", "what", flag_value="forget", help="With --refused: take them off the list: somebody has looked at them.")
@click.option("--record", "records", multiple=True, help="With --refused: only the record with this id. May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per call of a feed instead of a line.")
def poll(
    customer: str | None,
    feed: str | None,
    *,
    once: bool,
    refused: bool,
    what: str | None,
    records: tuple[str, ...],
    as_json: bool,
) -> None:
    """Read what is new at every feed that the customers' files switch on with `poll = true`.

    Without --once it goes on until Ctrl-C. Where beat polls as well, each feed is read by one of them at a time.
    Exit status 1 if a feed failed, and with --once also while records are kept that could not be read.

    Examples: arctl poll --customer acme --once, arctl poll --refused, arctl poll --refused --again
    """
    chosen = Chosen(customer, feed, records)
    if refused:
        _refused(chosen, what, as_json=as_json)
        return
    if what or records:
        raise click.UsageError("--again, --forget and --record go with --refused")
    if not _read(chosen, once=once, as_json=as_json):
        raise click.exceptions.Exit(1)


def _refused(chosen: Chosen, what: str | None, *, as_json: bool) -> None:
    url = redis_url()
    if what == "again":
        read_again(_services(url), chosen, as_json=as_json)
    elif what == "forget":
        forget(ledger_at(url), chosen, as_json=as_json)
    else:
        show(ledger_at(url), chosen, as_json=as_json)


def _services(url: str) -> Services:
    settings = load_settings({**os.environ, "AR_REDIS_URL": url})
    refuse_unsafe(settings.system)
    return dataclasses.replace(build(settings), doorbell=doorbell_at(url))


def _read(chosen: Chosen, *, once: bool, as_json: bool) -> bool:
    """Whether all went well."""
    url = redis_url()
    live, doorbell = Live({**os.environ, "AR_REDIS_URL": url}), doorbell_at(url)
    services = live.services()
    refuse_unsafe(load_system({**os.environ, "AR_REDIS_URL": url}))
    if not _keys(services, chosen):
        raise click.UsageError(_no_feed(services, chosen))
    has_failed = False
    try:
        while True:
            services = dataclasses.replace(live.services(), doorbell=doorbell)
            keys = _keys(services, chosen)
            for report in _round(services, keys, read_feed if once else poll_when_due):
                has_failed |= bool(report.error)
                _tell(report, as_json=as_json)
            if once:
                return not (_tell_of_kept(services, keys) or has_failed)
            time.sleep(services.poll_every.total_seconds())
    except KeyboardInterrupt:
        say("stopped", err=True)
    return not has_failed


def _tell_of_kept(services: Services, keys: Sequence[Key]) -> bool:
    """Whether any record of these feeds is kept that could not be read."""
    kept = [each for each in kept_lists(services.ledger, Chosen(None, None, ())) if (each.customer, each.feed) in keys]
    for each in kept:
        more = f" and {each.dropped} counted" if each.dropped else ""
        what = f"{len(each.records)} records that could not be read are kept{more}"
        say(f"{each.customer}/{each.feed}: {what}: `arctl poll --refused` shows them", err=True)
    return bool(kept)


def _keys(services: Services, chosen: Chosen) -> list[Key]:
    return [key for key in sorted(services.feeds) if chosen.customer in {None, key[0]} and chosen.feed in {None, key[1]}]


def _no_feed(services: Services, chosen: Chosen) -> str:
    if chosen.customer not in {None, *services.policies}:
        raise click.BadParameter(no_such("customer", str(chosen.customer), services.policies), param_hint="--customer")
    known = ", ".join("/".join(key) for key in sorted(services.feeds)) or "none: no section of a customer's file has `poll = true`"
    return f"no such feed; polled are {known}"


def _round(services: Services, keys: Sequence[Key], read: Callable[[Services, str, str], Report]) -> Iterator[Report]:
    """Each feed once, all at a time: a vendor that hangs keeps no other waiting."""
    with ThreadPoolExecutor(max(len(keys), 1)) as pool:
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
