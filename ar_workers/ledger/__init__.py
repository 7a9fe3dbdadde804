"""The record: what was accepted, planned, done and told. `redis` keeps it, `memory` makes the same promises in a dict."""
