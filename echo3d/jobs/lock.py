"""A lock that the system lets go of when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_STEP_S = 0.05


@contextlib.contextmanager
def held(path: Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """Yield whether this process now holds the lock of a file; it is free again after the block.

    Parameters
    ----------
    path : file that stands for the lock; made where missing, and left there
    wait_s : for how long to try

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _take(handle, wait_s)
    finally:
        os.close(handle)


def _take(handle: int, wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    while not _try(handle):
        if time.monotonic() >= until:
            return False
        time.sleep(_STEP_S)
    return True


def _try(handle: int) -> bool:
    """Return whether the lock could be taken at once."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
