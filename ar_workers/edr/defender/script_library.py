"""The tenant's live response library: whether it holds our scripts just as they are shipped, and how they get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.endpoints import OS
from ...domain.errors import Denied, Unsupported
from .live import SCRIPTS, Script

if TYPE_CHECKING:
    from .api import DefenderAPI

_FILES = "/api/libraryfiles"


class Library:
    """Read at each use: anybody who may write to it can change what a name stands for."""

    def __init__(self, api: DefenderAPI) -> None:
        self._api = api

    def script(self, os: OS) -> Script:
        """The script for this OS, once the library is seen to hold just this content under its name."""
        if os is OS.UNKNOWN:
            raise Unsupported("Defender does not tell the OS of this endpoint, so that no script can be chosen")
        script = Script.named(SCRIPTS[os])
        if self._present().get(script.name) != script.sha256:
            raise Denied(
                f"the live response library has no {script.name} with SHA-256 {script.sha256}: "
                "upload the scripts of this version (upload_scripts, or by hand in the portal), then requeue"
            )
        return script

    def complete(self) -> str:
        """Raises Denied with the names of those that are not in the library, or are there with other content."""
        missing = ", ".join(each.name for each in self._missing())
        if missing:
            raise Denied(f"the library has no {missing} of this version: upload with `arctl upload-scripts`, or by hand in the portal")
        return "in the library, as shipped"

    def upload(self) -> tuple[str, ...]:
        """Put in those that are not there, or are there with other content; returns their names."""
        missing = self._missing()
        for each in missing:
            about = {"Description": "Active Remediation", "HasParameters": "true", "ParametersDescription": "made by ar_workers"}
            self._api.upload(_FILES, each.name, each.content, OverrideIfExists="true", **about)
        return tuple(each.name for each in missing)

    def _missing(self) -> list[Script]:
        present = self._present()
        return [each for each in map(Script.named, sorted(set(SCRIPTS.values()))) if present.get(each.name) != each.sha256]

    def _present(self) -> dict[str, str]:
        """Names, and the SHA-256 of what is behind them."""
        return {str(row.get("fileName")): str(row.get("sha256")).lower() for row in self._api.pages(_FILES)}
