"""Where a vendor, a channel or a verb still lacks its part: files and what is to be in them, found by their text, so that nothing is imported.

What is looked for in a package may stand in any of its files.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/customers/acme.toml"


def of_vendor(name):
    yield from _lacks(
        _file("ar_workers/domain/endpoints.py"), rf'^    (\w+) = "{name}"$[\s\S]*^    Vendor\.\1: "', "Vendor and VENDOR_NAMES"
    )
    yield from _lacks(_module("ar_workers/edr", name), r"^ENTRY\b", "ENTRY")
    yield from _lacks(_module("ar_workers/sources", name), r"^def read\(", "read")
    yield from _lacks(_module("ar_workers/simulator", name), r"^TWIN\b", "TWIN")
    yield from _lacks(_module("tests/edr/rigs", name), r"^KIT\b", "KIT")
    yield from _lacks(_file(EXAMPLE), rf"^#?\[edr\.{name}\]", f"[edr.{name}]")


def of_channel(name):
    yield from _lacks(_file("ar_workers/domain/channels.py"), rf'^ChannelName = .*"{name}"', "ChannelName")
    yield from _lacks(_module("ar_workers/channels", name), r"^ENTRY\b", "ENTRY")
    kit = _module("tests/channels/rigs", name)
    told_by = re.search(r'^    inbox="(\w+)"', kit[1], re.MULTILINE)
    yield from _lacks(_module("ar_workers/simulator/inboxes", told_by[1] if told_by else name), r"^INBOX\b", "INBOX")
    yield from _lacks(kit, r"^KIT\b", "KIT")
    yield from _lacks(_file(EXAMPLE), rf'^#?channel = "{name}"', f'channel = "{name}"')


def of_verb(name):
    actions = _file("ar_workers/domain/actions.py")
    found = re.search(rf'^class (\w+)\([\w, ]+\):(?:(?!^class )[\s\S])*?^    verb: Literal\["{name}"\]', actions[1], re.MULTILINE)
    kind = found[1] if found else "NoClass"
    is_listed = rf'^Verb = Literal\[[^\]]*"{name}"[\s\S]*^Action = Annotated\[[^\]]*\b{kind}\b'
    yield from _lacks(actions, is_listed, "Verb, a class and Action")
    table = _file("ar_workers/domain/verbs.py")
    yield from _lacks(table, rf'^    "{name}": ', "VERBS")
    if f'undo="{name}"' not in table[1]:  # an undo is planned from the table, whatever it takes back
        yield from _lacks(_files("ar_workers/automations/y.py"), rf"^(?!from ).*\b{kind}\b", "an automation that plans it")
    yield from _lacks(_files("tests/automations/test_x.py"), rf'"{name}"', "a test of who wants it")
    yield from _lacks(_files("ar_workers/edr/z.py"), rf"^    @performs\({kind}\b", "an EDR that performs it")
    yield from _lacks(_files("ar_workers/simulator/z.py"), rf'"{name}"', "a twin that does it")


def _lacks(place, pattern, what):
    path, text = place
    if not re.search(pattern, text, re.MULTILINE):
        yield path, what


def _file(path):
    return path, (ROOT / path).read_text()


def _module(folder, name):
    """One file, or a package."""
    files = [path for path in (ROOT / folder / f"{name}.py", *sorted((ROOT / folder / name).glob("*.py"))) if path.is_file()]
    return f"{folder}/{name}.py", "".join(path.read_text() for path in files)


def _files(path):
    """All of the folder's, for a part that may stand in any of them."""
    return path, "".join(each.read_text() for each in sorted((ROOT / path).parent.rglob("*.py")))
