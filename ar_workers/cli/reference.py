"""The tables of the documentation, read from the code: what each EDR can do and must be allowed, and every key of the settings."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..bootstrap import capability_cells
from ..channels import CHANNELS
from ..domain.notifications import Digest
from ..domain.routes import Quiet, Route, Window
from ..domain.text import typed
from ..edr import ADAPTERS
from ..feeds import redcanary
from ..settings.sections import Automations, CustomerFile, EDRSection, Protect, ReceiverSection, RedCanarySection
from ..settings.system import ELSEWHERE, PREFIX, System
from .capabilities import capability_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic.fields import FieldInfo

    from ..edr.base import Entry
    from ..edr.probes import Probe

#: Keys that mean the same wherever they stand.
SHARED = {
    "ca_file": "Authorities that must have signed the server's certificate, instead of the public ones.",
    "connect_timeout": "Seconds; lower only in tests.",
    "read_timeout": "Seconds; lower only in tests.",
    "timeout": "Seconds that a provider may take.",
}
#: What only the operator sets of a channel, by the environment: a path would read the worker's files, an address its network.
OPERATORS = frozenset({"ca_file", "base_url"})
#: Of Slack and syslog: what a receiver has in `channel` and `to`.
_ADDRESS = frozenset({"channel", "host"})


class _Anything:
    """Stands for an adapter and all its parts, so that its probes can be listed and not one of them asked."""

    def __init__(self, *, truth: bool) -> None:
        self._truth = truth

    def __bool__(self) -> bool:
        return self._truth

    def __getattr__(self, _: str) -> _Anything:
        return self

    def __call__(self, *_: object, **__: object) -> _Anything:
        return self


def capability_table() -> str:
    """The capability table, and the vendors' restrictions below it."""
    cells = capability_cells()
    remarks = dict.fromkeys(f"- {cell.edr}, {cell.verb.replace('_', ' ')}: {cell.remark}." for cell in cells if cell.remark)
    return "\n".join([_table(*capability_matrix(cells)), "", *remarks])


def permissions() -> str:
    """What each EDR's credentials must be allowed, by the probes that `arctl doctor` asks."""
    return "\n\n".join(f"#### {vendor}\n\n{_sentence(entry.adapter.grant)}:\n\n{_permissions(entry)}" for vendor, entry in ADAPTERS.items())


def _permissions(entry: Entry) -> str:
    lines = [[f"`{each.needs}`", each.serves, "yes" if each.look else "only acting would show it"] for each in _probes(entry)]
    return _table(["Permission", "Needed for", "`arctl doctor` sees it"], lines)


def _probes(entry: Entry) -> Iterable[Probe]:
    """All that there may be, whatever is configured."""
    found: dict[str, Probe] = {}
    for truth in (True, False):
        adapter: Any = _Anything(truth=truth)
        for probe in entry.adapter.probes(adapter):
            found.setdefault(probe.needs, probe)
    return found.values()


def customer_keys() -> str:
    """What stands above the sections."""
    return keys(CustomerFile, without=frozenset(CustomerFile.model_fields) - {"mode", "two_person"})


def edr_keys() -> str:
    """What stands in the section of each EDR."""
    own = f"In every `[edr.NAME]`:\n\n{keys(EDRSection)}"
    return "\n\n".join([own, *(f"#### [edr.{vendor}]\n\n{keys(entry.config)}" for vendor, entry in ADAPTERS.items())])


def channel_keys() -> str:
    """What stands in the section of a receiver, by its channel."""
    own = f"In every `[receivers.NAME]`:\n\n{keys(ReceiverSection)}"
    return "\n\n".join([own, *(f'#### channel = "{name}"\n\n{_of_channel(name)}' for name in CHANNELS)])


def _of_channel(name: str) -> str:
    if name == "email":
        return "Nothing else: mail goes through the operator's relay."
    return keys(CHANNELS[name].config, without=OPERATORS | _ADDRESS)


def redcanary_keys() -> str:
    """What stands in `[redcanary]`."""
    return f"{keys(redcanary.Config)}\n\nAnd for polling:\n\n{keys(RedCanarySection)}"


def automation_keys() -> str:
    """What may be set of the managed automations. One that leaves nothing to set is named below."""
    settable = {name: kind for name, kind in _sections(Automations) if kind.model_fields}
    rest = ", ".join(f"`{name}`" for name, kind in _sections(Automations) if not kind.model_fields)
    parts = [f"#### [automations.{name}]\n\n{keys(kind)}" for name, kind in settable.items()]
    return "\n\n".join([*parts, f"Nothing can be set of {rest}."])


def _sections(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def route_keys() -> str:
    """What stands in a `[[routes]]`, and in its windows and digest."""
    more = keys(Quiet, without=frozenset(Window.model_fields))
    below = {"`hours` and `quiet`": keys(Window), "`quiet` only": more, "`digest`": keys(Digest)}
    return "\n\n".join([keys(Route), *(f"In {name}:\n\n{table}" for name, table in below.items())])


def protect_keys() -> str:
    """What stands in `[protect]`."""
    return keys(Protect)


def environment() -> str:
    """Every variable of the system."""
    lines = [[_variable(name, field), _default(field), _meaning(name, field)] for name, field in System.model_fields.items()]
    lines += [[f"`{name}`", "", meaning] for name, meaning in sorted(ELSEWHERE.items())]
    return _table(["Variable", "Default", "Meaning"], lines)


def _variable(name: str, field: FieldInfo) -> str:
    variable = f"{PREFIX}{name.upper()}"
    return f"`{variable}`" + (f" or `{variable}_FILE`" if _is_secret(field) else "")


def keys(model: type[BaseModel], *, without: frozenset[str] = frozenset()) -> str:
    """Every key of a section, what it means, what it may be, and its default."""
    fields = {name: field for name, field in model.model_fields.items() if name not in without}
    lines = [[f"`{field.alias or name}`", _default(field), _meaning(name, field) + _named(field)] for name, field in fields.items()]
    return _table(["Key", "Default", "Meaning"], lines)


def _meaning(name: str, field: FieldInfo) -> str:
    """In words, and the values that it may have."""
    words = field.description or SHARED.get(name, "")
    return " ".join(filter(None, (words, _allowed(field)))).replace("|", "\\|")


def _named(field: FieldInfo) -> str:
    """A secret stands in the environment, and its name in the file."""
    return ' Secret: `"env:NAME"`.' if _is_secret(field) else ""


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)


def _allowed(field: FieldInfo) -> str:
    choices = list(dict.fromkeys(_choices(field.annotation)))
    return f"One of {', '.join(f'`{each}`' for each in choices)}." if choices else ""


def _choices(kind: Any) -> Iterator[str]:
    """The words that a value is one of, also inside a list or an option."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        yield from map(str, kind)
    elif typing.get_origin(kind) is typing.Literal:
        yield from map(str, typing.get_args(kind))
    elif typing.get_origin(kind) not in {Mapping, typing.Annotated}:
        for each in typing.get_args(kind):
            yield from _choices(each)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or value == "" or (isinstance(value, tuple | frozenset | dict) and not value):
        return ""
    if isinstance(value, tuple | frozenset):
        return ", ".join(f"`{each}`" for each in ([each for each in _choices(field.annotation) if each in value] or value))
    if isinstance(value, timedelta):
        return f"`{typed(value)}`"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text.replace(str(Path.home()), '~')}`"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _table(columns: list[str], lines: list[list[str]]) -> str:
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
