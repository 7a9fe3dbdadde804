"""Benchmarks: pairs of things, measured in one run on one machine. Ratios first; see README.md here.

What a machine keeps for itself, its keys among it, is in a folder of the run's own.
"""

import atexit
import os
import shutil
import tempfile

if "AR_HOME" not in os.environ:
    os.environ["AR_HOME"] = tempfile.mkdtemp(prefix="ar-bench-")
    atexit.register(shutil.rmtree, os.environ["AR_HOME"], ignore_errors=True)
