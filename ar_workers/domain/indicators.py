"""Indicators of compromise: validated, normalised, and able to say why they cannot be acted on."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .model import Value
from .text import Identifier, Line

Path = Annotated[Line, StringConstraints(max_length=1024)]
_Lowered = BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value)
Sha256 = Annotated[str, _Lowered, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Sha1 = Annotated[str, _Lowered, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Md5 = Annotated[str, _Lowered, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


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
        return None if isinstance(value, str) and not value.strip("0") else value

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


_DOMAIN = re.compile(r"^(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:xn--[a-z0-9-]{2,59}|[a-z]{2,63})$")


class Domain(Value):
    """A DNS name, lower case, IDNA encoded, without the final dot. `hxxp`-style defanging dots are undone.

    A name that IDNA would make another one of (the sharp s becomes ss, joiners vanish) is refused: the other may be anybody's.
    """

    type: Literal["domain"] = "domain"
    domain: Annotated[str, StringConstraints(max_length=1000)]

    @field_validator("domain")
    @classmethod
    def _normalise(cls, value: str) -> str:
        name = value.strip().replace("[.]", ".").rstrip(".").lower()
        if _is_address(name):
            raise PydanticCustomError("ip_address", "is an IP address")
        encoded = _encoded(name)
        if not _DOMAIN.match(encoded):
            message = "is not a domain name"
            raise ValueError(message)
        return encoded

    @property
    def target(self) -> str:
        """Identity: the normalised name."""
        return self.domain


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _encoded(name: str) -> str:
    """The name as DNS has it; empty if it has none, or only that of another one."""
    try:
        encoded = name.encode("idna")
        is_same = name.isascii() or encoded.decode("idna") == unicodedata.normalize("NFKC", name).lower()
    except UnicodeError:
        return ""
    return encoded.decode("ascii") if is_same else ""


class File(Value):
    """A file at a path of one endpoint; the hash, where known, is confirmed before the file is touched."""

    type: Literal["file"] = "file"
    path: Path
    sha256: Sha256 | None = None

    @property
    def target(self) -> str:
        """Identity: the path as it was given, and the content."""
        return f"{self.path}|{self.sha256 or ''}"


class RegistryKey(Value):
    """A Windows registry key, or one value of it, in the short form that begins with HKLM, HKCU and so on."""

    type: Literal["registry"] = "registry"
    key: Path
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
    started_at: datetime | None = None

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
        """For people: what it is, shortened."""
        return label_of(self.indicator)


def label_of(indicator: Indicator) -> str:
    """A short text for people; never parsed."""
    match indicator:
        case FileHash():
            return f"{indicator.target[:20]}…"
        case Domain():
            return indicator.domain
        case File():
            return indicator.path
        case RegistryKey():
            return indicator.key + (f" [{indicator.value}]" if indicator.value else "")
        case Process():
            image = (indicator.image_path or "").replace("\\", "/").rsplit("/", 1)[-1]
            return f"pid {indicator.pid}" + (f" ({image})" if image else "")
