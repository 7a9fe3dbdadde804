"""What Defender says of a piece of evidence, and what it does not."""

from __future__ import annotations

import pytest

from ar_workers.domain.errors import InvalidEvent
from ar_workers.sources.defender import read
from tests.builders import EVIL
from tests.edr.rigs.defender import ALERT as DEFENDER
from tests.sources.samples import SHA1, SHA256, TOOL, changed, said


def event(*changes):
    return read(changed(DEFENDER, *changes), customer="acme")


def on_all(name, value):
    return [(("evidence", place, name), value) for place in range(5)]


#: The file; the process's image, its file, and the process; the domain; the key.
TOLD = ["hash", "file", "hash", "file", "process", "domain", "registry"]


def test_what_was_stopped_of_named_malware_is_malicious_but_no_process_condemns_its_image():
    found = event()
    assert said(found) == ["hash*", "file*", "hash", "file", "process*", "domain*", "registry*"]
    content, file, _, _, process, domain, key = (ioc.indicator for ioc in found.iocs)
    assert (content.sha256, content.sha1, file.path) == (SHA256, SHA1, EVIL)
    assert (process.pid, process.image_path, process.started_at.microsecond) == (4711, TOOL, 123456)
    assert (domain.domain, key.key) == ("evil.example", r"HKCU\Software\Evil")


@pytest.mark.parametrize(
    "changes",
    [
        on_all("detectionStatus", "Detected"),
        on_all("detectionStatus", None),
        on_all("verdict", "Clean"),
        [(("threatName",), None), (("threatFamilyName",), None)],
    ],
    ids=["detected", "nothing", "clean", "unnamed"],
)
def test_without_a_verdict_nothing_is_acted_on(changes):
    assert said(event(*changes)) == TOLD


def test_a_verdict_of_its_own_needs_no_named_malware():
    changes = [(("threatName",), None), (("threatFamilyName",), None), (("evidence", 0, "verdict"), "Malicious")]
    assert said(event(*changes)) == ["hash*", "file*", *TOLD[2:]]


def test_a_registry_value_without_its_name_does_not_cost_the_key():
    kind = (("evidence", 3, "entityType"), "RegistryValue")
    assert said(event(kind))[-1] == "registry"
    named = event(kind, (("evidence", 3, "registryValueName"), "Run"))
    assert (said(named)[-1], named.iocs[-1].indicator.value) == ("registry*", "Run")


@pytest.mark.parametrize(("folder", "path"), [("/Users/kim", "/Users/kim/evil.exe"), ("C:\\", "C:\\evil.exe"), (None, None), ("", None)])
def test_a_path_is_folder_and_name(folder, path):
    files = [ioc.indicator.path for ioc in event((("evidence", 0, "filePath"), folder)).iocs if ioc.indicator.type == "file"]
    assert files == ([path] if path else []) + [TOOL]


@pytest.mark.parametrize(("word", "severity"), [("UnSpecified", "unknown"), ("Informational", "low"), ("Low", "low"), ("Medium", "medium")])
def test_severities_are_defenders_words(word, severity):
    assert event((("severity",), word)).threat.severity == severity


@pytest.mark.parametrize(
    ("path", "value"),
    [(("alertCreationTime",), "2026-11-24"), (("id",), None), (("evidence",), "all")],
)
def test_a_field_that_cannot_be_read_is_named(path, value):
    with pytest.raises(InvalidEvent) as raised:
        event((path, value))
    assert raised.value.field == path[0]


def test_the_threat_is_shown_in_the_portal():
    assert event().threat.url == "https://security.microsoft.com/alerts/da637_1364"
