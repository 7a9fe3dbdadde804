"""Secrets: they stand in the environment or in a file of their own, never in a customer's file."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ..domain.kept import is_kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .sections import Polled, ReceiverSection

#: The key of a Carbon Black Cloud organisation is in every address of its API: no secret, in spite of its name.
_SECRET_NAME = re.compile(r"secret|token|password|(?<!^org_)key", re.IGNORECASE)


def secret_from_file(variable: str, path: Path, problems: list[str]) -> str:
    """The secret in the file that `variable` names."""
    try:
        found = path.stat()
        if not is_kept(found.st_mode, found.st_gid, {os.getegid(), *os.getgroups()}):
            problems.append(f"{variable}: {path} can be read or changed by others; chmod 600 it")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{variable}: {path} cannot be read ({type(error).__name__})")
        return "unreadable"
    if not text:
        problems.append(f"{variable}: {path} is empty")
    return text


@dataclass(frozen=True)
class Secrets:
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
        elif self.environ.get(name, "").strip():
            return self.environ[name]
        elif name in self.environ:
            self.refuse(where, f"{name} is empty")
        elif name + "_FILE" in self.environ:
            return secret_from_file(name + "_FILE", Path(self.environ[name + "_FILE"]), self.problems)
        else:
            self.refuse(where, f"the environment has no {name}")
        return ""

    def refuse(self, where: str, problem: str) -> None:
        """Add a problem of this file."""
        self.problems.append(f"{self.path.name}: {where}: {problem}")


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith("env:")


def options(secrets: Secrets, section: str, given: Polled) -> Iterator[tuple[str, Any]]:
    """What an adapter or feed is given: a reference resolved, and hidden where the key's name says that it is a secret."""
    for key, value in (given.model_extra or {}).items():
        where = f"{section}.{key}"
        if _is_reference(value):
            resolved = secrets.resolved(where, value)
            yield key, SecretStr(resolved) if _SECRET_NAME.search(key) else resolved
        elif _SECRET_NAME.search(key):
            secrets.refuse(where, 'a secret does not belong in the file; write "env:NAME" and set NAME in the environment')
        else:
            yield key, value


def receiver_options(secrets: Secrets, section: str, given: ReceiverSection) -> Iterator[tuple[str, Any]]:
    """What is a secret only the channel's Config knows: `bootstrap` refuses one that did not come from the environment."""
    for key, value in (given.model_extra or {}).items():
        where = f"{section}.{key}"
        if isinstance(value, list):
            yield key, [SecretStr(secrets.resolved(where, each)) if _is_reference(each) else each for each in value]
        else:
            yield key, SecretStr(secrets.resolved(where, value)) if _is_reference(value) else value
