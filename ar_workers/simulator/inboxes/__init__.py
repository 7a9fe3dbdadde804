"""Pretend receivers of notifications: they take what the real ones take, and remember it. Each module here is one."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ..inbox import Inbox

_NAMES = sorted(each.name for each in iter_modules(__path__))
INBOXES: dict[str, Inbox] = {name: import_module(f"{__name__}.{name}").INBOX for name in _NAMES}
