"""`arctl summary`: what a customer would be told of a threat now."""

from __future__ import annotations

from typing import Literal

import click

from ..channels.letters import letter
from ..channels.templating import FAILED, Templates
from ..domain.errors import ARError
from ..domain.notifications import remediation_summary
from ..pipeline.summary import summary_of
from .connection import home, open_ledger
from .names import CUSTOMER
from .output import print_json, say, say_all
from .threats import the_one


@click.command()
@click.argument("threat_id")
@click.option("--customer", type=CUSTOMER, help="Whose threat, if several customers have one of this id.")
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "json"]), default="text", show_default=True, help="As the mail has it."
)
def summary(threat_id: str, customer: str | None, form: Literal["text", "html", "json"]) -> None:
    """Draft the remediation summary of a threat from the ledger.

    Nothing is sent: the customer gets it when a TRE's note says that remediation is complete.

    Example: arctl summary THREAT-1042 --format html
    """
    ledger = open_ledger()
    record = the_one(ledger, threat_id, customer)
    if record.threat is None:
        raise ARError(f"{threat_id} is about an endpoint, not a threat: there is no summary of it")
    found = summary_of(ledger, record.customer, record.threat, record.id)
    if form == "json":
        print_json(found.model_dump(mode="json"))
        return
    draft = letter(remediation_summary(record.customer, record.threat, found), Templates(home() / "templates"))
    if draft.has_failed:
        say(f"arctl: {FAILED}: see the log above", err=True)
    say_all(draft.html if form == "html" and draft.html else draft.text, nl=False)
