"""How a command rings the workers. Celery is imported then, and not by what only looks: that would take three times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import redis_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..domain.canvas import Ring


def ring_workers(rings: Sequence[Ring]) -> None:
    """On the broker that the workers listen to."""
    from ..bootstrap import doorbell_at  # noqa: PLC0415 - see above

    if rings:
        doorbell_at(redis_url()).ring(rings)
