"""What systems and their shells say in the language of an endpoint. A `{}` is what it is about."""

from __future__ import annotations

from enum import Enum
from typing import Literal, get_args

Language = Literal["en", "de", "ja"]
LANGUAGES: frozenset[str] = frozenset(get_args(Language))


class Says(Enum):
    """One thing that a system says, in every language, English first."""

    NO_FILE = (
        "Could not find file '{}'.",
        'Die Datei "{}" konnte nicht gefunden werden.',
        "ファイル '{}' が見つかりませんでした。",
    )
    NO_PATH = (
        "Cannot find path '{}' because it does not exist.",
        'Der Pfad "{}" kann nicht gefunden werden, da er nicht vorhanden ist.',
        "パス '{}' が存在しないため検出できません。",
    )
    NO_PROCESS = (
        "Cannot find a process with the process identifier {}.",
        "Es kann kein Prozess mit der Prozess-ID {} gefunden werden.",
        "プロセス ID が {} であるプロセスが見つかりません。",
    )
    NO_KEY = (
        "ERROR: The system was unable to find the specified registry key or value.",
        "FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden.",
        "エラー: 指定されたレジストリ キーまたは値が見つかりませんでした。",
    )
    NOT_FOUND = (
        "The system cannot find the file specified.",
        "Das System kann die angegebene Datei nicht finden.",
        "指定されたファイルが見つかりません。",
    )
    NO_FOLDER = (
        "The system cannot find the path specified.",
        "Das System kann den angegebenen Pfad nicht finden.",
        "指定されたパスが見つかりません。",
    )
    DENIED = ("Access is denied.", "Zugriff verweigert", "アクセスが拒否されました。")
    IN_USE = (
        "The process cannot access the file '{}' because it is being used by another process.",
        'Der Prozess kann nicht auf die Datei "{}" zugreifen, da sie von einem anderen Prozess verwendet wird.',
        "別のプロセスで使用されているため、プロセスはファイル '{}' にアクセスできません。",
    )
    BAD_PARAMETER = ("The parameter is incorrect.", "Falscher Parameter.", "パラメーターが間違っています。")
    BEGUN = ("Transcript started", "Die Aufzeichnung wurde gestartet", "トランスクリプトが開始されました")

    def to(self, language: str, about: str = "") -> str:
        """How an endpoint of this language says it."""
        return self.value[get_args(Language).index(language)].replace("{}", about)
