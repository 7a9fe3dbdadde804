"""`arctl poll --refused`: the records of feeds that could not be read, and what a person does about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..pipeline.refusals import read_again as read_list_again
from .names import no_such
from .output import moment, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..domain.refusals import KeptRecord, KeptRecords
    from ..pipeline.services import Services
    from ..ports import Ledger


class Chosen(NamedTuple):
    """Which of all that is kept is meant; what is None or empty narrows nothing."""

    customer: str | None
    feed: str | None
    records: tuple[str, ...]

    def of(self, kept: KeptRecords) -> list[KeptRecord]:
        """Those of a feed."""
        return [each for each in kept.records if not self.records or each.id in self.records]


def kept_lists(ledger: Ledger, chosen: Chosen) -> list[KeptRecords]:
    """Every feed's list in which something of it may be."""
    names = ledger.customers()
    if chosen.customer not in {None, *names}:
        raise click.BadParameter(no_such("customer", str(chosen.customer), names), param_hint="--customer")
    found = (each for name in names if chosen.customer in {None, name} for each in ledger.refused(name))
    return [each for each in found if chosen.feed in {None, each.feed}]


def show(ledger: Ledger, chosen: Chosen, *, as_json: bool) -> None:
    """The list, with its reasons and since when."""
    lists = kept_lists(ledger, chosen)
    if as_json:
        plain = [{"customer": each.customer, "feed": each.feed, **one.model_dump(mode="json")} for each in lists for one in chosen.of(each)]
        counted = [{"customer": each.customer, "feed": each.feed, "dropped": each.dropped} for each in lists if each.dropped]
        print_json({"refused": plain, "dropped": counted})
        return
    if not lists:
        say("no record that could not be read is kept")
        return
    print_table("", ("Customer", "Feed", "Record", "Since (UTC)", "What is wrong"), _lines(lists, chosen), prose="What is wrong")
    for each in lists:
        if each.dropped:
            say(f"{each.customer}/{each.feed}: {each.dropped} more came when the list was full, and are not kept: look for them there")
    say("`--again` reads them again, after an update; `--forget` takes off the list what somebody has looked at")


def _lines(lists: list[KeptRecords], chosen: Chosen) -> Iterator[tuple[str, ...]]:
    for each in lists:
        for record in chosen.of(each):
            short = "" if record.is_whole else "; too long to be kept, and so to be read again"
            yield each.customer, each.feed, record.id, moment(record.at), f"{record.field}: {record.reason}{short}"


def forget(ledger: Ledger, chosen: Chosen, *, as_json: bool) -> None:
    """Take them off the list. Exit status 1 if there were none."""
    gone = 0
    for each in kept_lists(ledger, chosen):
        gone += ledger.let_go(each.customer, each.feed, [one.key for one in chosen.of(each)], is_looked_at=True) or bool(each.dropped)
    _end({"forgotten": gone}, f"{gone} forgotten", as_json=as_json, is_well=bool(gone))


def read_again(services: Services, chosen: Chosen, *, as_json: bool) -> None:
    """Read them again. Exit status 1 if there were none, or some still cannot be read."""
    accepted = duplicates = refused = 0
    for each in kept_lists(services.ledger, chosen):
        if each.customer not in services.policies:
            refused += len(chosen.of(each))
            say(f"{each.customer}/{each.feed}: {no_such('customer', each.customer, services.policies)}", err=True)
            continue
        found = read_list_again(services, each, chosen.of(each))
        accepted, duplicates, refused = accepted + found.accepted, duplicates + found.duplicates, refused + len(found.refused)
        for record in found.refused:
            say(f"{each.customer}/{each.feed}: record {record.id} refused: {record.field}: {record.reason}", err=True)
    counts = {"accepted": accepted, "duplicates": duplicates, "refused": refused}
    words = f"{accepted} accepted, {duplicates} known, {refused} still refused"
    _end(counts, words, as_json=as_json, is_well=not refused and bool(accepted + duplicates))


def _end(counts: dict[str, Any], words: str, *, as_json: bool, is_well: bool) -> None:
    if as_json:
        print_json(counts)
    else:
        say(words)
    if not is_well:
        raise click.exceptions.Exit(1)
