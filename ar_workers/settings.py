"""The environment and the customers' files as Settings: everything checked at the start, all problems told at once."""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from .domain.addresses import parse_address
from .domain.endpoints import Vendor
from .domain.errors import InvalidSettings
from .domain.notifications import TRE, Receiver
from .domain.policies import FileResponse, MediumIsolation, Policy
from .domain.routes import Route, problems_of
from .domain.text import Line, MailAddress, Slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "AR_"
#: Read by `celeryconfig` and the command line, not here.
ELSEWHERE = frozenset({"AR_BROKER_URL", "AR_RECHECK_SECONDS", "AR_TRANSPORT", "AR_FSYNC", "AR_REDIS_MEMORY"})
_CUSTOMER = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _redis_address(url: str) -> str:
    parse_address(url)
    return url


class System(_Section):
    """What the environment sets, `AR_` before the upper-case name. A secret may be `AR_..._FILE`: the file's path.

    AR_REDIS_URL, the ledger's: `redis://HOST:PORT/DB`, `redis+cluster://HOST:PORT,HOST:PORT,...` or
    `redis+sentinel://HOST:PORT,HOST:PORT,.../SERVICE/DB`, with `rediss` for TLS; `domain/addresses.py` has the details.
    AR_BROKER_URL, if it is not the same: likewise, but no cluster.
    """

    redis_url: Annotated[str, AfterValidator(_redis_address)] = "redis://127.0.0.1:6379/0"
    home: Path = Path.home() / ".ar_workers"
    customers: Path | None = None
    lease_seconds: Annotated[int, Field(ge=15, le=600)] = 24
    compact_hours: Annotated[float, Field(ge=0)] = 72
    poll_seconds: Annotated[float, Field(ge=5)] = 30
    ca_file: Path | None = None
    slack_token: SecretStr | None = None
    slack_channel: str = ""
    slack_url: str = "https://slack.com/api/"
    pagerduty_routing_key: SecretStr | None = None
    pagerduty_url: str = "https://events.pagerduty.com"
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(gt=0, lt=65536)] = 587
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_from: str = ""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"

    @property
    def customers_folder(self) -> Path:
        """Where the customers' files are."""
        return self.customers or self.home / "customers"


class _ThreatPublished(_Section):
    medium_isolation: MediumIsolation = MediumIsolation.ALWAYS


class _IOCResponse(_Section):
    file_response: FileResponse = FileResponse.QUARANTINE_ELSE_DELETE


class _Emails(_Section):
    emails: tuple[MailAddress, ...] = ()


class _Managed(_Section):
    """An automation that leaves nothing to set."""


class Automations(_Section):
    """The documented knobs of the managed automations; a test holds them against `automations.KNOBS`."""

    threat_published: _ThreatPublished = _ThreatPublished()
    ioc_response: _IOCResponse = _IOCResponse()
    remediation_requested: _Managed = _Managed()
    notify_tre_of_note: _Managed = _Managed()
    notify_customer_of_note: _Emails = _Emails()
    unsupported_os: _Emails = _Emails()
    threat_closed: _Managed = _Managed()
    action_needed: _Managed = _Managed()
    release_requested: _Managed = _Managed()


class Protect(_Section):
    """What must never be touched, and how many endpoints may be cut off in an hour."""

    endpoints: tuple[Line, ...] = ()
    never_touch: tuple[Line, ...] = ()
    isolations_per_hour: Annotated[int, Field(ge=0)] = 100


class _Polled(BaseModel):
    """A section that may be polled, and whatever else its adapter or feed wants (checked by that one's own Config)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    poll: bool = False
    #: How far back each reading goes, for what comes late; by default what suits the feed.
    poll_overlap_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] | None = None


class EDRSection(_Polled):
    """One EDR, with its remediate groups."""

    remediate_groups: Annotated[tuple[Line, ...], Field(min_length=1)]


class ReceiverSection(BaseModel):
    """A named receiver: its channel, its address on it, and whatever else the channel wants (checked by its own Config)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    channel: Literal["slack", "pagerduty", "email", "teams", "webhook", "sms", "voice", "syslog"]
    to: Line | None = None

    def receiver(self, name: str) -> Receiver:
        """As notifications know it. Where the options say it all, the name stands for the address."""
        return Receiver(name=name, channel=self.channel, address=self.to or name)


class RedCanarySection(_Polled):
    """The customer's portal at Red Canary, as a source of threats."""


class _CustomerFile(_Section):
    edr: dict[Vendor, EDRSection] = {}
    receivers: dict[Slug, ReceiverSection] = {}
    routes: tuple[Route, ...] = ()
    redcanary: RedCanarySection | None = None
    automations: Automations = Automations()
    protect: Protect = Protect()


class CustomerSettings(BaseModel):
    """A customer, ready for use: the policy, and per EDR and for Red Canary the options with secrets resolved.

    `polled` names the sections that are polled, and how far back each reading goes where the customer has a wish.
    """

    model_config = ConfigDict(frozen=True)

    policy: Policy
    edrs: dict[Vendor, dict[str, Any]]
    #: By name. Whatever came from the environment is a SecretStr.
    receivers: dict[str, dict[str, Any]] = {}
    redcanary: dict[str, Any] | None = None
    polled: dict[str, timedelta | None] = {}


class Settings(BaseModel):
    """Everything that was configured."""

    model_config = ConfigDict(frozen=True)

    system: System
    customers: dict[str, CustomerSettings]


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ` and the files that it points to. Raises InvalidSettings with every problem."""
    problems: list[str] = []
    system = _system(environ, problems)
    customers: dict[str, CustomerSettings] = {}
    names: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(system.customers_folder.glob("*.toml")) if system else []:
        found = _customer(path, environ, problems, names)
        if found:
            customers[path.stem] = found
    for name, owners in names.items():
        if len(owners) > 1:
            problems.append(f"{name}: is named by several customers ({', '.join(sorted(owners))}): a credential belongs to one")
    if problems or system is None:
        raise InvalidSettings(problems)
    return Settings(system=system, customers=customers)


def _system(environ: Mapping[str, str], problems: list[str]) -> System | None:
    values: dict[str, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in ELSEWHERE:
            continue
        name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
        whole = variable.removeprefix(PREFIX).lower()
        if whole in System.model_fields:
            values[whole] = environ[variable]
        elif name not in System.model_fields:
            problems.append(f"{variable}: is not known{_nearest(variable, [PREFIX + each.upper() for each in System.model_fields])}")
        elif PREFIX + name.upper() in environ:
            problems.append(f"{variable}: {PREFIX}{name.upper()} is set too; keep one of them")
        else:
            values[name] = _secret_from_file(variable, Path(environ[variable]), problems)
    try:
        system = System.model_validate(values)
    except ValidationError as error:
        problems += [f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        return None
    if system.smtp_security == "none" and system.smtp_host not in _LOOPBACK:
        problems.append(f"{PREFIX}SMTP_SECURITY: none is for loopback hosts only; use starttls or tls")
    return system


def _secret_from_file(variable: str, path: Path, problems: list[str]) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            problems.append(f"{variable}: {path} can be read by others; chmod 600 it")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{variable}: {path} cannot be read ({type(error).__name__})")
        return "unreadable"
    if not text:
        problems.append(f"{variable}: {path} is empty")
    return text


def _customer(path: Path, environ: Mapping[str, str], problems: list[str], names: defaultdict[str, set[str]]) -> CustomerSettings | None:
    before = len(problems)
    if path.stem == TRE:
        problems.append(f"{path.name}: this name is kept for the TREs' own receivers, which the environment sets")
    if not _CUSTOMER.match(path.stem):
        problems.append(f"{path.name}: the file's name is the customer's id: lower case letters, digits, - and _ only")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        parsed = _CustomerFile.model_validate(document)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path.name}: is not readable TOML: {error}")
        return None
    except ValidationError as error:
        problems += [f"{path.name}: {_problem(each)}" for each in error.errors()]
        return None
    secrets = _Secrets(path, environ, problems, names)
    edrs = {vendor: dict(_options(secrets, f"edr.{vendor}", section)) for vendor, section in parsed.edr.items()}
    portal = parsed.redcanary
    redcanary = dict(_options(secrets, "redcanary", portal)) if portal else None
    receivers = {name: dict(_receiver_options(secrets, f"receivers.{name}", section)) for name, section in parsed.receivers.items()}
    wrong = [*map(_address_problem, parsed.receivers.items()), *problems_of(parsed.routes, _receivers(parsed))]
    problems += [f"{path.name}: {each}" for each in wrong if each]
    if len(problems) > before:
        return None
    policy = _policy(path.stem, parsed)
    return CustomerSettings(policy=policy, edrs=edrs, receivers=receivers, redcanary=redcanary, polled=dict(_polled(parsed)))


def _receivers(parsed: _CustomerFile) -> dict[str, Receiver]:
    return {name: section.receiver(name) for name, section in parsed.receivers.items()}


def _polled(parsed: _CustomerFile) -> Iterator[tuple[str, timedelta | None]]:
    for name, section in (*parsed.edr.items(), ("redcanary", parsed.redcanary)):
        if section and section.poll:
            wish = section.poll_overlap_minutes
            yield name, timedelta(minutes=wish) if wish else None


def _policy(customer: str, parsed: _CustomerFile) -> Policy:
    knobs, protect = parsed.automations, parsed.protect
    return Policy(
        customer=customer,
        remediate_groups={vendor: frozenset(section.remediate_groups) for vendor, section in parsed.edr.items()},
        medium_isolation=knobs.threat_published.medium_isolation,
        file_response=knobs.ioc_response.file_response,
        protected_endpoints=frozenset(protect.endpoints),
        never_touch=frozenset(protect.never_touch),
        isolations_per_hour=protect.isolations_per_hour,
        summary_emails=knobs.notify_customer_of_note.emails,
        unsupported_os_emails=knobs.unsupported_os.emails,
        receivers=_receivers(parsed),
        routes=parsed.routes,
    )


_MAIL: TypeAdapter[str] = TypeAdapter(MailAddress)
_FORMS = {
    "sms": (re.compile(r"\+[1-9][0-9]{6,14}"), "one phone number such as +4930123456"),
    "voice": (re.compile(r"\+[1-9][0-9]{6,14}"), "one phone number such as +4930123456"),
    "slack": (re.compile(r"[CDG][A-Z0-9]{2,30}"), "the id of a Slack channel such as C0123456789"),
    "syslog": (re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?"), "host or host:port of a syslog receiver"),
}


def _address_problem(named: tuple[str, ReceiverSection]) -> str | None:
    name, section = named
    where, to = f"receivers.{name}.to", section.to or ""
    if section.channel == "email":
        try:
            _MAIL.validate_python(to)
        except ValidationError:
            return f"{where}: must be one mail address such as soc@acme.example"
        return None
    if section.channel in {"pagerduty", "teams", "webhook"} or "webhook_url" in (section.model_extra or {}):
        return f"{where}: a receiver of this kind has no address beside its options" if to else None
    form, said = _FORMS[section.channel]
    return None if form.fullmatch(to) else f"{where}: must be {said}"


_SECRET_NAME = re.compile(r"secret|token|password|key", re.IGNORECASE)


@dataclass(frozen=True)
class _Secrets:
    """What a customer's file refers to in the environment, and who has named which variable."""

    path: Path
    environ: Mapping[str, str] = field(repr=False)
    problems: list[str]
    names: defaultdict[str, set[str]]

    def resolved(self, where: str, value: str) -> str:
        """What `env:NAME` stands for."""
        name = value.removeprefix("env:")
        self.names[name].add(self.path.stem)
        if not re.match(r"^[A-Z][A-Z0-9_]*$", name):
            self.refuse(where, "env: is followed by the name of a variable, upper case; never by a path")
        elif name in self.environ:
            return self.environ[name]
        elif name + "_FILE" in self.environ:
            return _secret_from_file(name + "_FILE", Path(self.environ[name + "_FILE"]), self.problems)
        else:
            self.refuse(where, f"the environment has no {name}")
        return ""

    def refuse(self, where: str, problem: str) -> None:
        """Add a problem of this file."""
        self.problems.append(f"{self.path.name}: {where}: {problem}")


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith("env:")


def _options(secrets: _Secrets, section: str, given: _Polled) -> Iterator[tuple[str, Any]]:
    for key, value in (given.model_extra or {}).items():
        where = f"{section}.{key}"
        if _is_reference(value):
            resolved = secrets.resolved(where, value)
            yield key, SecretStr(resolved) if _SECRET_NAME.search(key) else resolved
        elif _SECRET_NAME.search(key):
            secrets.refuse(where, 'a secret does not belong in the file; write "env:NAME" and set NAME in the environment')
        else:
            yield key, value


def _receiver_options(secrets: _Secrets, section: str, given: ReceiverSection) -> Iterator[tuple[str, Any]]:
    """What is a secret only the channel's Config knows: `bootstrap` refuses one that did not come from the environment."""
    for key, value in (given.model_extra or {}).items():
        where = f"{section}.{key}"
        if isinstance(value, list):
            yield key, [SecretStr(secrets.resolved(where, each)) if _is_reference(each) else each for each in value]
        else:
            yield key, SecretStr(secrets.resolved(where, value)) if _is_reference(value) else value


#: `routes`, and its number.
_OF_A_ROUTE = 2


def _problem(error: Any) -> str:
    where = [str(part) for part in error["loc"]]
    dotted = ".".join(where)
    if error["type"] != "extra_forbidden":
        return f"{dotted}: {error['msg']}"
    parent, key = where[:-1], where[-1]
    if parent[:1] == ["automations"] and len(parent) > 1:
        knobs = list(_knobs(parent[1]))
        can = f"only {', '.join(knobs)} can be set" if knobs else "nothing of it can be set"
        return f"{dotted}: this automation is managed by the service; {can}"
    sections: dict[tuple[str, ...], type[BaseModel]] = {(): _CustomerFile, ("automations",): Automations, ("protect",): Protect}
    known = sections.get(tuple(parent)) or (Route if parent[:1] == ["routes"] and len(parent) == _OF_A_ROUTE else None)
    return f"{dotted}: is not known{_nearest(key, [each.alias or name for name, each in known.model_fields.items()]) if known else ''}"


def _knobs(automation: str) -> Iterator[str]:
    field = Automations.model_fields.get(automation)
    if field and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        yield from field.annotation.model_fields


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
