"""Pretend receivers of notifications: they take what the real ones take, and remember it."""
