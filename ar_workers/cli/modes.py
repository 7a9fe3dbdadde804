"""What is said of a customer's file that names no mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings import Settings


def unsaid_mode(settings: Settings, name: str) -> tuple[str, str]:
    """How it stands, and what to write where."""
    path = settings.system.customers_folder / f"{name}.toml"
    return f"{path} says no mode, and is live", 'write mode = "live" at its top, or mode = "dry_run" to see first what would be done'
