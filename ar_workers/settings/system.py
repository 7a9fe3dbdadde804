"""What the environment says of the system: the `AR_` variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ..domain.addresses import parse_address
from .problems import nearest
from .secrets import secret_from_file

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "AR_"
#: Read by `celeryconfig` and the command line, not here.
ELSEWHERE = {
    "AR_BROKER_URL": "Celery's broker, if it is another server than the ledger's. It may be no cluster.",
    "AR_RECHECK_SECONDS": "How often unsupported endpoints are looked for in the remediate groups. Default 300.",
    "AR_TRANSPORT": "`stock` takes kombu's own Redis transport instead of ours.",
    "AR_FSYNC": "Of the server that `arctl up` starts: `always` writes every acknowledged event to the disk before it answers. "
    "Default `everysec`: a power failure may lose the last second.",
    "AR_PERSON_KEY": "The private key of who types `arctl`. Default: `~/.config/ar_workers/person.key`, or so in `XDG_CONFIG_HOME`.",
    "AR_REDIS_MEMORY": "`maxmemory` of the server that `arctl up` starts. Default 1gb.",
    "AR_REDIS_SERVER": "The program of the server that `arctl up` starts. Default: the embedded one, or one on PATH that is better.",
}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _is_secret(name: str) -> bool:
    return SecretStr in get_args(System.model_fields[name].annotation)


def _redis_address(url: str) -> str:
    parse_address(url)
    return url


def _syslog_address(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in {"tls", "tcp"} or not parts.hostname or parts.path or parts.query or parts.username):
        raise ValueError("is not like tls://HOST:PORT or tcp://HOST:PORT")
    _ = parts.port  # raises ValueError for what is none
    return url


class System(BaseModel):
    """What the environment sets, `AR_` before the upper-case name. A secret may be `AR_..._FILE`: the file's path.

    AR_REDIS_URL, the ledger's: `redis://HOST:PORT/DB`, `redis+cluster://HOST:PORT,HOST:PORT,...` or
    `redis+sentinel://HOST:PORT,HOST:PORT,.../SERVICE/DB`, with `rediss` for TLS; `domain/addresses.py` has the details.
    AR_BROKER_URL, if it is not the same: likewise, but no cluster.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    redis_url: Annotated[str, AfterValidator(_redis_address)] = Field(
        "redis://127.0.0.1:6379/0", description="The ledger's server; `rediss` for TLS, `redis+cluster` or `redis+sentinel` for several."
    )
    home: Path = Field(Path.home() / ".ar_workers", description="State, logs and templates of this machine. Its owner's alone.")
    customers: Path | None = Field(None, description="The folder of the customers' files. Default: `customers` in `AR_HOME`.")
    keys: Path | None = Field(
        None,
        description="The folder of the keys that seal orders, filled by you. Default: `keys` in `AR_HOME`, where they are made.",
    )
    people: Path | None = Field(None, description="The file that says who may decide what. Default: `people.toml` in `AR_HOME`.")
    two_person: bool = Field(
        default=False, description="`true`: somebody else approves than who has asked. A customer's file may say so for itself."
    )
    audit: Path | None = Field(
        None,
        description="The folder of the record: chains of what was done, lists of what was accepted. Default: `audit` in `AR_HOME`.",
    )
    audit_syslog: Annotated[str, AfterValidator(_syslog_address)] = Field(
        "",
        description="A syslog server, `tls://HOST:PORT` or `tcp://HOST:PORT`, which is told the signed ends of the record, once a minute.",
    )
    unsealed: Literal["refuse", "allow"] = Field(
        "refuse", description="`allow` acts on what has no seal, as before there were any: while an older version's work is finished."
    )
    insecure_dev: bool = Field(
        default=False, description="`1` lets processes start on an unsafe set-up: for a machine of development only."
    )
    lease_seconds: Annotated[int, Field(ge=15, le=600)] = Field(
        24, description="What a worker has in hand is another's after so long without a sign of life."
    )
    compact_hours: Annotated[float, Field(ge=0)] = Field(
        72, description="Settled threats are compacted after so long. They stay readable in less than 4 KB each."
    )
    poll_seconds: Annotated[float, Field(ge=5)] = Field(30, description="How often the feeds with `poll = true` are read.")
    ca_file: Path | None = Field(
        None, description="Authorities that must have signed PagerDuty's and the relay's certificates, instead of the public ones."
    )
    slack_token: SecretStr | None = Field(None, description="The TREs' Slack: the bot's token.")
    slack_channel: str = Field("", description="The TREs' Slack: the channel's id.")
    slack_url: str = Field("https://slack.com/api/", description="Slack's API; another one only in tests.")
    pagerduty_routing_key: SecretStr | None = Field(None, description="The TREs' PagerDuty: the Integration Key (Events API v2).")
    pagerduty_url: str = Field("https://events.pagerduty.com", description="PagerDuty's API, such as that of the EU's region.")
    smtp_host: str = Field("", description="The relay that all mail goes through, the customers' included. Without it no mail is sent.")
    smtp_port: Annotated[int, Field(gt=0, lt=65536)] = Field(587, description="The relay's port.")
    smtp_user: str = Field("", description="Who signs in at the relay. Without it nobody does.")
    smtp_password: SecretStr | None = Field(None, description="That user's password.")
    smtp_from: str = Field("", description="The sender of all mail.")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="`none` is for loopback hosts only.")

    @property
    def customers_folder(self) -> Path:
        """Where the customers' files are."""
        return self.customers or self.home / "customers"

    @property
    def audit_folder(self) -> Path:
        """Where the record is."""
        return self.audit or self.home / "audit"


def read_system(environ: Mapping[str, str], problems: list[str]) -> System | None:
    """The system's settings; what is wrong with them is added to `problems`. None if they cannot be used."""
    values: dict[str, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in ELSEWHERE:
            continue
        name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
        whole = variable.removeprefix(PREFIX).lower()
        if whole in System.model_fields:
            values[whole] = environ[variable]
            if not environ[variable].strip() and _is_secret(whole):
                problems.append(f"{variable}: is empty; unset it, or set it")
        elif name not in System.model_fields:
            problems.append(f"{variable}: is not known{nearest(variable, [PREFIX + each.upper() for each in System.model_fields])}")
        elif PREFIX + name.upper() in environ:
            problems.append(f"{variable}: {PREFIX}{name.upper()} is set too; keep one of them")
        else:
            values[name] = secret_from_file(variable, Path(environ[variable]), problems)
    try:
        system = System.model_validate(values)
    except ValidationError as error:
        problems += [f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        return None
    if system.smtp_security == "none" and system.smtp_host not in _LOOPBACK:
        problems.append(f"{PREFIX}SMTP_SECURITY: none is for loopback hosts only; use starttls or tls")
    return system
