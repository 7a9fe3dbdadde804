"""Pretend vendors and pretend inboxes over the real protocols: the other end of the wire, which knows nothing of ours."""

from .faults import Fault
from .simulation import Simulation
from .world import World

__all__ = ["Fault", "Simulation", "World"]
