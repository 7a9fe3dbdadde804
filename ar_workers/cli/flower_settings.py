"""Flower's `--conf`, in `arctl up` and in the containers: nobody looks without a password, and nobody does more than look."""

from __future__ import annotations

import sys

from flower.views.monitor import Metrics
from tornado.options import options
from tornado.web import authenticated

read_only = True
if not any(options.basic_auth or ()):
    sys.exit("Flower needs a password: set FLOWER_BASIC_AUTH=user:password")
# Flower itself asks for none here, where hostnames and the names of tasks are.
Metrics.get = authenticated(Metrics.get)
