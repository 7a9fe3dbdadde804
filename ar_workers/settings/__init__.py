"""The environment and the customers' files as Settings: everything checked at the start, all problems told at once.

`system` is what the environment says, `sections` what a customer's file may say; `customers` reads such a file, with
`secrets` for what it leaves to the environment and `problems` for what is said of its mistakes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from ..domain.errors import InvalidSettings
from .customers import CustomerSettings, read_customer
from .sections import Automations
from .system import System, read_system

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Automations", "CustomerSettings", "Settings", "System", "load_settings", "load_system"]


class Settings(BaseModel):
    """Everything that was configured."""

    model_config = ConfigDict(frozen=True)

    system: System
    customers: dict[str, CustomerSettings]


def load_system(environ: Mapping[str, str], *, strictly: bool = False) -> System:
    """What the environment says of the system. Raises InvalidSettings if it cannot be used; `strictly`, with any problem."""
    problems: list[str] = []
    system = read_system(environ, problems)
    if system is None or (strictly and problems):
        raise InvalidSettings(problems)
    return system


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ` and the files that it points to. Raises InvalidSettings with every problem."""
    problems: list[str] = []
    system = read_system(environ, problems)
    customers: dict[str, CustomerSettings] = {}
    names: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(system.customers_folder.glob("*.toml")) if system else []:
        found = read_customer(path, environ, problems, names, two_person=bool(system and system.two_person))
        if found:
            customers[path.stem] = found
    for name, owners in names.items():
        if len(owners) > 1:
            problems.append(f"{name}: is named by several customers ({', '.join(sorted(owners))}): a credential belongs to one")
    if problems or system is None:
        raise InvalidSettings(problems)
    return Settings(system=system, customers=customers)
