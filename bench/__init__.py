"""Benchmarks: pairs of things, measured in one run on one machine. Ratios first; see README.md here."""
