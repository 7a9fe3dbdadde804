"""The account that text messages and calls go by."""

from __future__ import annotations

from .base import CANARY

SETTINGS = {
    "account_sid": "AC" + "7" * 32,
    "auth_token": CANARY,
    "refusals": {"+15005550010": 21610, "+15005550008": 21408, "+15005550004": 20429},
}


def an_account(simulation, **more):
    account = {name: SETTINGS[name] for name in ("account_sid", "auth_token")}
    return {**account, "base_url": simulation.inboxes["twilio"].url, "timeout": 1, **more}
