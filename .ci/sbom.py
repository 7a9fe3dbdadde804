"""Write down what running consists of, as CycloneDX: `.venv-supply/bin/python .ci/sbom.py dist/ar_workers.cdx.json`.

The same lock makes the same bytes: nothing in it is of the moment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from locks import pins

ROOT = Path(__file__).parents[1]
CYCLONEDX = (sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--pyproject", "pyproject.toml", "-")


def tidied(made: str) -> str:
    """Without the descriptions of the parts, which repeat the lock line by line."""
    bom = json.loads(made)
    for part in bom["components"]:
        del part["description"]
    return json.dumps(bom, indent=1, sort_keys=True) + "\n"


def checked(bom: str) -> str:
    """The same; raises SystemExit for what the schema does not allow."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - tests of the rest run without it
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    version = SchemaVersion.from_version(json.loads(bom)["specVersion"])
    if error := JsonStrictValidator(version).validate_str(bom):
        sys.exit(f"what was made is not CycloneDX: {error}")
    return bom


def main(target: Path) -> None:
    """From the lock of what runs, with what only other platforms need."""
    lock = "".join(f"{pin.text}\n" for pin in pins((ROOT / "requirements-run.lock").read_text()))
    # It warns that a lock does not tell who asked for what. A date would come from the environment.
    told = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"} | {"PYTHONWARNINGS": "ignore"}
    made = subprocess.run(CYCLONEDX, cwd=ROOT, env=told, input=lock, stdout=subprocess.PIPE, text=True, check=True).stdout
    target.parent.mkdir(exist_ok=True)
    target.write_text(checked(tidied(made)))
    print(f"{target}: {len(json.loads(made)['components'])} parts")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
