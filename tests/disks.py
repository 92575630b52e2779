"""A disk that is soon full: a file system of its own in memory."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """Yield ``folder`` as a disk of its own; skips where none may be mounted."""
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("a small disk is mounted on Linux only")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no disk may be mounted here; needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
