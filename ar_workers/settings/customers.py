"""A customer's file, read: the policy, and the options of its EDRs, receivers and portal."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..domain.endpoints import Vendor
from ..domain.notifications import TRE, Receiver
from ..domain.policies import Mode, Policy
from ..domain.routes import problems_of
from .own import named_domains
from .problems import address_problem, problem
from .secrets import Secrets, options, receiver_options
from .sections import CustomerFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CUSTOMER = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")


class CustomerSettings(BaseModel):
    """A customer, ready for use: the policy, and per EDR and for Red Canary the options with secrets resolved.

    `polled` names the sections that are polled, and how far back each reading goes where the customer says so.
    """

    model_config = ConfigDict(frozen=True)

    policy: Policy
    edrs: dict[Vendor, dict[str, Any]]
    #: By name. Whatever came from the environment is a SecretStr.
    receivers: dict[str, dict[str, Any]] = {}
    redcanary: dict[str, Any] | None = None
    polled: dict[str, timedelta | None] = {}
    #: One that says no mode is live, as files were before there was any.
    says_mode: bool = True


def read_customer(
    path: Path, environ: Mapping[str, str], problems: list[str], names: defaultdict[str, set[str]], *, two_person: bool = False
) -> CustomerSettings | None:
    """What the file at `path` says; what is wrong with it is added to `problems`. None if anything is.

    Of every customer two people decide where the service says so.

    `names` collects which customer has named which variable of the environment.
    """
    before = len(problems)
    if path.stem == TRE:
        problems.append(f"{path.name}: this name is kept for the TREs' own receivers, which the environment sets")
    if not _CUSTOMER.match(path.stem):
        problems.append(f"{path.name}: the file's name is the customer's id: lower case letters, digits, - and _ only")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        parsed = CustomerFile.model_validate(document)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path.name}: is not readable TOML: {error}")
        return None
    except ValidationError as error:
        problems += [f"{path.name}: {problem(each)}" for each in error.errors()]
        return None
    secrets = Secrets(path, environ, problems, names)
    edrs = {vendor: dict(options(secrets, f"edr.{vendor}", section)) for vendor, section in parsed.edr.items()}
    portal = parsed.redcanary
    redcanary = dict(options(secrets, "redcanary", portal)) if portal else None
    receivers = {name: dict(receiver_options(secrets, f"receivers.{name}", section)) for name, section in parsed.receivers.items()}
    wrong = [*map(address_problem, parsed.receivers.items()), *problems_of(parsed.routes, _receivers(parsed))]
    problems += [f"{path.name}: {each}" for each in wrong if each]
    if len(problems) > before:
        return None
    sections = {f"edr.{vendor}": given for vendor, given in edrs.items()} | {"redcanary": redcanary or {}}
    policy = _policy(path.stem, parsed, named_domains(parsed, sections), two_person=two_person)
    more = {"polled": dict(_polled(parsed)), "says_mode": parsed.mode is not None}
    return CustomerSettings(policy=policy, edrs=edrs, receivers=receivers, redcanary=redcanary, **more)


def _receivers(parsed: CustomerFile) -> dict[str, Receiver]:
    return {name: section.receiver(name) for name, section in parsed.receivers.items()}


def _polled(parsed: CustomerFile) -> Iterator[tuple[str, timedelta | None]]:
    for name, section in (*parsed.edr.items(), ("redcanary", parsed.redcanary)):
        if section and section.poll:
            minutes = section.poll_overlap_minutes
            yield name, timedelta(minutes=minutes) if minutes else None


def _policy(customer: str, parsed: CustomerFile, named: dict[str, str], *, two_person: bool) -> Policy:
    knobs, protect = parsed.automations, parsed.protect
    return Policy(
        customer=customer,
        mode=parsed.mode or Mode.LIVE,
        two_person=parsed.two_person or two_person,
        remediate_groups={vendor: frozenset(section.remediate_groups) for vendor, section in parsed.edr.items()},
        medium_isolation=knobs.threat_published.medium_isolation,
        file_response=knobs.ioc_response.file_response,
        undo_false_positives=knobs.threat_closed.undo_false_positives,
        protected_endpoints=frozenset(protect.endpoints),
        protected_groups=frozenset(protect.groups),
        protected_tags=frozenset(protect.tags),
        protected_roles=frozenset(protect.roles),
        never_touch=frozenset(protect.never_touch),
        own_domains=frozenset(protect.own_domains),
        named_domains=named,
        isolations_per_hour=protect.isolations_per_hour,
        bans_per_day=protect.bans_per_day,
        isolations_percent_of_group=protect.isolations_percent_of_group,
        isolations_least_of_group=protect.isolations_least_of_group,
        holds_expire=protect.holds_expire,
        holds_end=protect.holds_end,
        high_within=knobs.not_contained.high,
        medium_within=knobs.not_contained.medium,
        summary_emails=knobs.notify_customer_of_note.emails,
        unsupported_os_emails=knobs.unsupported_os.emails,
        receivers=_receivers(parsed),
        routes=parsed.routes,
    )
