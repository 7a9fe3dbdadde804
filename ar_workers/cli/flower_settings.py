"""Flower's `--conf`, in `arctl up` and in the containers: nobody looks without a password, and nobody does more than look."""

from __future__ import annotations

import os
import sys

from flower.utils import broker
from flower.views.monitor import Metrics
from tornado.options import options
from tornado.web import authenticated

from ar_workers.domain.errors import InvalidSettings, LedgerUnavailable
from ar_workers.posture import flower_checks, refuse_unsafe
from ar_workers.settings import load_system

read_only = True
try:
    refuse_unsafe(load_system(os.environ, strictly=True), *flower_checks(options.basic_auth or ()))
except InvalidSettings as error:
    sys.exit(f"the configuration is wrong:\n{error}")
except LedgerUnavailable:
    """It waits for a Redis that is away."""
# Flower itself asks for none here, where hostnames and the names of tasks are.
Metrics.get = authenticated(Metrics.get)


class _SignedIn(broker.RedisSocket):  # type: ignore[misc] # it has no types
    """Flower signs in over a socket by the password alone, which is that of `default`."""

    def __init__(self, broker_url: str, *args: object, **options: object) -> None:
        super().__init__(broker_url, *args, **options)
        self.redis.connection_pool.connection_kwargs["username"] = self.username


broker.RedisSocket = _SignedIn
