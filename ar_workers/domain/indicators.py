"""Indicators of compromise: validated, normalised, and able to say why they cannot be acted on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .domains import address_in, dns_name, host_of, is_dns_name
from .instants import Instant
from .model import Value
from .text import Identifier, Line
from .volumes import plain

#: Without what Windows may write before it: see `volumes`.
Path = Annotated[Line, StringConstraints(max_length=1024), AfterValidator(plain)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$", strip_whitespace=True, to_lower=True)]
Sha1 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{40}$", strip_whitespace=True, to_lower=True)]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$", strip_whitespace=True, to_lower=True)]


#: A URL may be as long as browsers let it.
_LONGEST_URL = 10_000


def _without_zeros(value: object) -> object:
    return None if isinstance(value, str) and not value.strip("0") else value


class HashType(StrEnum):
    """Hash algorithms, in the order in which an EDR that takes several is offered them."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"


class FileHash(Value):
    """A file's content by one or more of its hashes. All zeros means "not computed" in vendors' feeds and is dropped."""

    type: Literal["hash"] = "hash"
    sha256: Sha256 | None = None
    sha1: Sha1 | None = None
    md5: Md5 | None = None

    @field_validator("sha256", "sha1", "md5", mode="before")
    @classmethod
    def _drop_zeros(cls, value: object) -> object:
        return _without_zeros(value)

    @model_validator(mode="after")
    def _has_one(self) -> FileHash:
        if not (self.sha256 or self.sha1 or self.md5):
            message = "needs one of sha256, sha1, md5"
            raise ValueError(message)
        return self

    def best(self, accepted: tuple[HashType, ...]) -> tuple[HashType, str] | None:
        """The first of the `accepted` types that is known, with its value; a missing type is never guessed."""
        return next(((kind, value) for kind in accepted if (value := getattr(self, kind))), None)

    @property
    def target(self) -> str:
        """Identity: the strongest hash that is known."""
        return next(f"{kind}:{value}" for kind in HashType if (value := getattr(self, kind)))


class Domain(Value):
    """A DNS name, lower case, IDNA encoded, without the final dot. Of a URL its host is taken, and defanged forms are undone."""

    type: Literal["domain"] = "domain"
    domain: Annotated[str, StringConstraints(max_length=_LONGEST_URL)]

    @field_validator("domain")
    @classmethod
    def _normalise(cls, value: str) -> str:
        if is_dns_name(value):
            return value
        if address_in(value):
            raise PydanticCustomError("ip_address", "is an IP address")
        host = host_of(value)
        if host.startswith("*"):
            raise PydanticCustomError("wildcard", "is a wildcard domain")
        return dns_name(host)

    @property
    def target(self) -> str:
        """Identity: the normalised name."""
        return self.domain


class File(Value):
    """A file at a path of one endpoint; the hash, where known, is confirmed before the file is touched.

    Some vendors know their files by SHA-1 alone. It is written down only where it says something, so that a file of other
    vendors, and the event that tells of it, are what they were in every version.
    """

    type: Literal["file"] = "file"
    path: Path
    sha256: Sha256 | None = None
    sha1: Annotated[Sha1 | None, BeforeValidator(_without_zeros)] = None

    @model_serializer(mode="wrap")
    def _without_what_says_nothing(self, plainly: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = plainly(self)
        return {name: value for name, value in written.items() if name != "sha1" or value}

    @property
    def target(self) -> str:
        """Identity: the path as it was given, and the content."""
        return f"{self.path}|{self.sha256 or self.sha1 or ''}"

    @property
    def is_known_by_sha1_alone(self) -> bool:
        """Whether its content cannot be confirmed by whoever reads SHA-256 only."""
        return bool(self.sha1 and not self.sha256)


class RegistryKey(Value):
    """A Windows registry key, or one value of it, in the short form that begins with HKLM, HKCU and so on."""

    type: Literal["registry"] = "registry"
    key: Annotated[Line, StringConstraints(max_length=1024)]
    value: Line | None = None

    @field_validator("key")
    @classmethod
    def _short_hive(cls, key: str) -> str:
        hive, _, rest = key.strip("\\").partition("\\")
        short = HIVES.get(hive.upper())
        if short is None or not rest:
            message = f"must start with one of {', '.join(sorted(set(HIVES.values())))} and name a key below it"
            raise ValueError(message)
        return f"{short}\\{rest}"

    @property
    def target(self) -> str:
        """Identity: Windows compares registry names without case."""
        return f"{self.key}|{self.value or ''}".casefold()


HIVES = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_USERS": "HKU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_CURRENT_CONFIG": "HKCC",
    "HKLM": "HKLM",
    "HKCU": "HKCU",
    "HKU": "HKU",
    "HKCR": "HKCR",
    "HKCC": "HKCC",
}


class Process(Value):
    """A running process. Pids are reused, so image hash, image path or start time must confirm it before a kill."""

    type: Literal["process"] = "process"
    pid: Annotated[int, Field(gt=0, lt=2**32)]
    image_path: Path | None = None
    sha256: Sha256 | None = None
    started_at: Instant | None = None

    @property
    def target(self) -> str:
        """Identity: the pid with everything that tells it from a later process of the same pid."""
        started = self.started_at.isoformat() if self.started_at else ""
        return f"{self.pid}|{self.image_path or ''}|{self.sha256 or ''}|{started}"


Indicator = FileHash | Domain | File | RegistryKey | Process


class IOC(Value):
    """An indicator with what the analysts said of it, and the endpoint it was seen on.

    Acted on only if it is both `confirmed_malicious` and `safe_to_act`; both default to no.
    """

    indicator: Annotated[Indicator, Field(discriminator="type")]
    confirmed_malicious: bool = False
    safe_to_act: bool = False
    agent_id: Identifier | None = None

    @property
    def label(self) -> str:
        """For people: what it is."""
        return label_of(self.indicator)


def label_of(indicator: Indicator) -> str:
    """For people, and whole: what stands here is searched for elsewhere. Never parsed."""
    match indicator:
        case FileHash():
            return indicator.target
        case Domain():
            return indicator.domain
        case File():
            return indicator.path
        case RegistryKey():
            return indicator.key + (f" [{indicator.value}]" if indicator.value else "")
        case Process():
            return f"pid {indicator.pid}" + (f" ({indicator.image_path})" if indicator.image_path else "")
