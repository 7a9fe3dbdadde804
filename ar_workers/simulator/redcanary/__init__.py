"""A pretend Red Canary portal: what its API v3 lets a poller read of published detections."""

from .twin import RedCanaryTwin

__all__ = ["TWIN", "RedCanaryTwin"]

TWIN = RedCanaryTwin
