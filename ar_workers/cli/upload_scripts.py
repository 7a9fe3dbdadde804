"""`arctl upload-scripts`: put our live response scripts into a customer's Defender library, an operator's explicit act."""

from __future__ import annotations

import os

import click

from ..bootstrap import adapters
from ..domain.endpoints import Vendor
from ..domain.errors import ARError
from ..edr.defender import Defender
from ..settings import load_settings
from .names import no_such
from .output import say


@click.command("upload-scripts")
@click.option("--customer", required=True, help="Whose library.")
@click.confirmation_option(prompt="Upload the scripts to this customer's library?", help="Do not ask.")
def upload_scripts(customer: str) -> None:
    """Upload the scripts that the customer's Defender library has not, or has otherwise. The library is all that is changed.

    Kill process, delete file and delete registry key need them there; `arctl doctor` says whether they are. For SentinelOne
    and Cortex XDR an administrator uploads them in the console.

    Example: arctl upload-scripts --customer acme --yes
    """
    settings = load_settings(os.environ)
    if customer not in settings.customers:
        raise ARError(no_such("customer", customer, settings.customers))
    found = adapters(settings).get((customer, Vendor.DEFENDER))
    if not isinstance(found, Defender):
        raise ARError(f"{customer} has no Defender: this is for Defender's library only")
    names = found.upload_scripts()
    done = f"uploaded {', '.join(names)}" if names else "the library has them already"
    say(f"{customer}: {done}")
