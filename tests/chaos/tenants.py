"""What a tenant of each vendor in a storm looks like: to the twin, and in the customer's file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ar_workers.domain.endpoints import Vendor
from ar_workers.domain.indicators import Domain, FileHash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ar_workers.domain.indicators import Indicator

CID = "11111111-1111-4111-8111-111111111111"
CUSTOMER = """
[edr.{vendor}]
{options}
remediate_groups = ["Remediate"]
connect_timeout = 1.0
read_timeout = 2.0
[automations.ioc_response]
file_response = "delete"
[automations.notify_customer_of_note]
emails = ["soc@{name}.example"]
[automations.unsupported_os]
emails = ["it@{name}.example"]
[protect]
isolations_per_hour = 1000000
isolations_percent_of_group = 100
bans_per_day = 1000000
"""


def hash_of(kind: str, text: str) -> str:
    return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Make:
    """A vendor: how it names groups and endpoints, what its file says, and whether its tenants act on endpoints by a shell here."""

    group: str
    agent_id: Callable[[str], str]
    options: str
    has_shell: bool = False

    def takes(self, indicator: Indicator) -> bool:
        """Whether a threat of such a tenant carries the indicator."""
        return self.has_shell or isinstance(indicator, FileHash | Domain)


MAKES: Mapping[Vendor, Make] = {
    Vendor.CROWDSTRIKE: Make(
        "31e7a5110093c903095a7570502ab936",
        lambda name: hash_of("md5", name),
        'base_url = "{url}"\nclient_id = "{name}-id"\nclient_secret = "env:{variable}"',
        has_shell=True,
    ),
    Vendor.SENTINELONE: Make(
        "1000000000000000001",
        lambda name: str(10**18 + int(hash_of("md5", name), 16) % 10**18),
        'base_url = "{url}"\napi_token = "env:{variable}"\nscope = "account"\naccount_id = "9000000000000000001"',
    ),
    Vendor.DEFENDER: Make(
        "g1",
        lambda name: hash_of("sha1", name),
        f'base_url = "{{url}}"\nlogin_url = "{{url}}"\ntenant_id = "{CID}"\nclient_id = "{{name}}-id"\nclient_secret = "env:{{variable}}"',
    ),
}


def tenant(name: str, vendor: Vendor) -> dict[str, Any]:
    """As the twins' world has it, still without endpoints."""
    credentials = [{"client_id": f"{name}-id", "client_secret": f"{name}-secret"}]
    groups = [{"id": MAKES[vendor].group, "name": "Remediate"}]
    return {
        "vendor": str(vendor),
        "cid": CID if vendor is Vendor.DEFENDER else "",
        "credentials": credentials,
        "groups": groups,
        "endpoints": [],
    }


def customer_file(name: str, vendor: Vendor, url: str, variable: str) -> str:
    """As an operator would write it; `variable` is the environment's that holds the secret."""
    options = MAKES[vendor].options.format(url=url, name=name, variable=variable)
    return CUSTOMER.format(vendor=vendor, options=options, name=name)
