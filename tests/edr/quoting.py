"""Texts that a shell may read something into, and what each vendor's command must come to with one: itself as one argument, or nothing.

Each function returns whether the text was taken. It raises AssertionError where a command would say anything else than was meant.
"""

from __future__ import annotations

import base64
import json
import re
import shlex

from ar_workers.domain.endpoints import OS
from ar_workers.domain.errors import Denied, Unsupported
from ar_workers.domain.indicators import RegistryKey
from ar_workers.edr.carbon_black_edr.live_response import delete_order, registry_order
from ar_workers.edr.cortex_xdr.scripts import encoded
from ar_workers.edr.crowdstrike.rtr import command_string
from ar_workers.edr.defender.live import argument
from ar_workers.edr.sentinelone.remoteops import order_word
from ar_workers.simulator.crowdstrike.shell import split_commands
from ar_workers.simulator.defender.scripts import run
from ar_workers.simulator.endpoints import Endpoint as PretendEndpoint
from tests.builders import a_delete, a_key_deletion, a_kill

ALPHABET = "ab1\\/:. \"'`$;&|<>\n\r\t%*?^~()[]{}!=,#-_\u202e\x00é"
_WORD = re.compile(r"[A-Za-z0-9_-]+")


def windows_words(text: str) -> list[str]:
    """As CommandLineToArgvW takes a command line apart: backslashes count before a quote alone, and two quotes within quotes are one."""
    words, word, quoted, at = [], None, False, 0
    while at < len(text):
        slashes = len(text) - at - len(text[at:].lstrip("\\"))
        at += slashes
        mark = text[at : at + 1]
        if mark == '"':
            word = (word or "") + "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            elif quoted and text[at + 1 : at + 2] == '"':
                word, at = word + '"', at + 1
            else:
                quoted = not quoted
        elif mark in {" ", "\t"} and not quoted:
            word = (word or "") + "\\" * slashes if slashes or word is not None else None
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + "\\" * slashes + mark
        at += 1
    return words + ([] if word is None else [word])


def one_word(text: str) -> None:
    """Whatever takes it apart, it stays what it is."""
    assert _WORD.fullmatch(text), text
    assert shlex.split(text) == [text]
    assert windows_words(text) == [text]
    assert split_commands(text) == [[text]]


def _decoded(word: str) -> dict[str, str]:
    found = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    assert isinstance(found, dict)
    return found


def crowdstrike(text: str, base: str = "rm") -> bool:
    try:
        command = command_string(base, text)
    except Denied:
        return False
    assert not set(command) & set("\n\r")
    lexer = shlex.shlex(command, posix=False, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    meant = [*base.split(), text]
    assert [each.strip('"') for each in lexer] == meant
    assert split_commands(command) == [meant]
    assert windows_words(command) == meant
    return True


def sentinelone(text: str, os: OS = OS.WINDOWS, verb: str = "delete_file") -> bool:
    path = ("C:\\a" if os is OS.WINDOWS else "/a/b") + text
    changes = {
        "delete_file": lambda: _with(a_delete(), "file", path=path),
        "kill_process": lambda: _with(a_kill(), "process", image_path=path),
        "delete_registry_key": lambda: _with(a_key_deletion(), "registry", key=f"HKLM\\Software\\Evil{text}", value=text),
    }
    try:
        word = order_word(changes[verb](), os, "order")
    except Denied:
        return False
    one_word(word)
    said = _decoded(word)
    if verb == "delete_registry_key":
        assert (said["key"], said["value"]) == (f"HKLM\\Software\\Evil{text}", text)
    else:
        assert said["path"] == path
    return True


def _with(action, field, **changes):
    """Past validation: what an event can say is narrower."""
    return action.model_copy(update={field: getattr(action, field).model_copy(update=changes)})


def cortex_xdr(path: str, value: str = "") -> bool:
    order = {"verb": "delete_registry_key", "key": path, "value": value}
    word = encoded(order)
    one_word(word)
    assert _decoded(word) == order
    assert not _WORD.fullmatch(json.dumps(order))
    return True


def defender(path: str, mark: str = "mark") -> bool:
    """As the twin carries it out, which finds no file behind some paths."""
    word = argument("delete_file", mark, path=path, sha256="")
    one_word(word)
    output = run(PretendEndpoint("a", "PC", files=[]), word)
    assert base64.urlsafe_b64decode(_decoded(word)["path"] + "==").decode() == path
    assert [(verb, target) for verb, target, _ in output.effects] in ([], [("delete_file", path)])
    return True


def carbon_black_edr(text: str) -> bool:
    """Commands are JSON: what is sent is this one name, and exactly this path, or nothing."""
    path = f"C:\\{text}"
    try:
        order = delete_order(path, OS.WINDOWS)
    except Denied:
        return False
    assert json.loads(json.dumps({"name": order.name, "object": order.target})) == {"name": "delete file", "object": path}
    assert not set(text) & set('*?"<>|\n\r\0/:')
    assert text.strip("\\")
    assert not text.endswith("\\")
    return True


def carbon_black_edr_value(text: str) -> bool:
    registry = RegistryKey(key=r"HKLM\Software\Evil").model_copy(update={"value": text})
    try:
        order = registry_order(registry)
    except (Denied, Unsupported):
        return False
    assert (order.name, order.target) == ("reg delete value", f"HKLM\\Software\\Evil\\{text}")
    assert "\\" not in text
    return True


def carbon_black_cloud(text: str, rig, seen) -> bool:
    """A command is a JSON object, and its value stays one value of it, or is refused before any request."""
    before = len(rig.written())
    action = _with(rig.action("delete_file"), "file", path=f"C:\\{text}")
    try:
        rig.adapter.perform(action, seen)
    except Denied:
        assert len(rig.written()) == before
        return False
    assert [each["body"] for each in rig.written()[before:]] == [{"name": "delete file", "path": f"C:\\{text}"}]
    return True
