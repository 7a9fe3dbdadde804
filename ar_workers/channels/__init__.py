"""The channels: each `ChannelName` is a module of its name here, which says in its `ENTRY` what it consists of."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, get_args

from ..domain.channels import ChannelName

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..ports import Channel
    from .base import Entry
    from .templating import Templates

CHANNELS: dict[str, Entry] = {name: import_module(f"{__name__}.{name}").ENTRY for name in get_args(ChannelName)}


def made(name: str, config: BaseModel, templates: Templates) -> Channel:
    """A channel, with these templates if it takes any."""
    entry = CHANNELS[name]
    return entry.channel(config, templates=templates) if entry.is_templated else entry.channel(config)
