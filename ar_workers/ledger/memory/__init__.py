"""The ledger in a dict: the same promises as Redis within one process, for tests and for trying things out.

`ledger` is what callers see: each method takes the lock and hands on. `kept` and `store` are what is remembered.
An event comes in (`intake`), is planned (`planning`), its rows are worked on (`visits`) when it is their `turns` and no
guard is against it (`guards`), and move from state to state (`moves`). Deliveries gather in `digests`, the sweep rings
for what is due (`sweeping`), people decide (`decisions`), and everybody reads (`reading`).
"""

from .ledger import MemoryLedger

__all__ = ["MemoryLedger"]
