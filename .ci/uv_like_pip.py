"""Run the environment's uv with the package index, certificates and proxy that pip is set up for.

`python .ci/uv_like_pip.py pip compile ...`; pip must be there.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

UV = Path(__file__).parents[1] / ".venv" / "bin" / "uv"
#: pip's setting -> uv's, and what stands between several values.
SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "proxy": ("ALL_PROXY", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
}
#: Where pip finds a setting; the later wins.
SECTIONS = ("global", "install", ":env:")


def of_pip(listed: str) -> dict[str, str]:
    """What `pip config list` printed, in uv's words."""
    found: dict[str, str] = {}
    for section in SECTIONS:
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            where, _, key = name.rpartition(".")
            if where == section and key in SETTINGS:
                variable, between = SETTINGS[key]
                found[variable] = between.join(str(ast.literal_eval(value)).split())
    return found


def environment() -> dict[str, str]:
    """Our environment, and what uv is told by it; what is said to uv itself wins."""
    # pip takes the best match of all indexes; every file is checked by its hash.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never", **of_pip(_listed()), **os.environ}


def _listed() -> str:
    """By the pip of this Python, or of the environment where this one has none."""
    for python in (sys.executable, UV.with_name("python")):
        said = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            return said.stdout
    return ""


if __name__ == "__main__":
    os.execve(UV, [str(UV), *sys.argv[1:]], environment())
