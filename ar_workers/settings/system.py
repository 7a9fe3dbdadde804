"""What the environment says of the system: the `AR_` variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ..domain.addresses import parse_address
from .problems import nearest
from .secrets import secret_from_file

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "AR_"
#: Read by `celeryconfig` and the command line, not here.
ELSEWHERE = frozenset({"AR_BROKER_URL", "AR_RECHECK_SECONDS", "AR_TRANSPORT", "AR_FSYNC", "AR_REDIS_MEMORY"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _redis_address(url: str) -> str:
    parse_address(url)
    return url


class System(BaseModel):
    """What the environment sets, `AR_` before the upper-case name. A secret may be `AR_..._FILE`: the file's path.

    AR_REDIS_URL, the ledger's: `redis://HOST:PORT/DB`, `redis+cluster://HOST:PORT,HOST:PORT,...` or
    `redis+sentinel://HOST:PORT,HOST:PORT,.../SERVICE/DB`, with `rediss` for TLS; `domain/addresses.py` has the details.
    AR_BROKER_URL, if it is not the same: likewise, but no cluster.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

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
