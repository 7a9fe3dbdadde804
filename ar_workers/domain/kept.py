"""Which files are kept from others, by what the file system says of them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def is_kept(mode: int, group: int, own_groups: Collection[int]) -> bool:
    """Whether nobody but its owner reads or changes the file. That the process's own group reads it is fine: Kubernetes mounts secrets so
    (0440).
    """
    is_narrow = not mode & (stat.S_IWGRP | stat.S_IRWXO)
    return is_narrow and (group in own_groups or not mode & stat.S_IRGRP)
