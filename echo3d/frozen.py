"""The package's two executables: which of them this process is, and how one starts or becomes the other; from sources, Python does both."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

WINDOW, WORKER = "echo3d", "echo3d-worker"
"""Names of the executables: the first holds Qt and no torch, the second torch and no Qt."""

_LIBRARIES = "LD_LIBRARY_PATH"


def is_frozen() -> bool:
    """Whether this process runs from the package and not from Python's sources."""
    return bool(getattr(sys, "frozen", False))


def is_window() -> bool:
    """Whether this process is the package's window."""
    return is_frozen() and Path(sys.executable).stem == WINDOW


def is_worker() -> bool:
    """Whether this process is the package's worker."""
    return is_frozen() and Path(sys.executable).stem == WORKER


def worker_command(*words: str) -> list[str]:
    """Return what runs words of this installation's command line.

    >>> worker_command("doctor")[-2:]
    ['echo3d', 'doctor']
    """
    return [_beside(WORKER), *words] if is_frozen() else [sys.executable, "-P", "-m", "echo3d", *words]


def window_command(*words: str) -> list[str]:
    """Return what opens this installation's window with words.

    >>> window_command("a.dcm")[-2:]
    ['gui', 'a.dcm']
    """
    return [_beside(WINDOW), "gui", *words] if is_frozen() else [sys.executable, "-P", "-m", "echo3d", "gui", *words]


def _beside(name: str) -> str:
    """Return the path of an executable of the package."""
    return str(Path(sys.executable).with_name(f"{name}.exe" if sys.platform == "win32" else name))


def environment() -> dict[str, str]:
    """Return our environment, in which another process finds the same code as we did; the package finds its own by itself."""
    paths = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    places = {} if is_frozen() else {"PYTHONPATH": os.pathsep.join(paths)}
    return os.environ | places | {"PYTHONUTF8": "1", "PYINSTALLER_RESET_ENVIRONMENT": "1"}


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Let programs that are not ours find the system's libraries, not the package's, while they are started.

    *Source:* PyInstaller's manual, "LD_LIBRARY_PATH considerations".
    """
    before, own = os.environ.get(_LIBRARIES), is_frozen() and sys.platform == "linux"
    if own:
        os.environ.pop(_LIBRARIES, None)
        os.environ.update({_LIBRARIES: os.environ[f"{_LIBRARIES}_ORIG"]} if f"{_LIBRARIES}_ORIG" in os.environ else {})
    try:
        yield
    finally:
        if own and before is not None:
            os.environ[_LIBRARIES] = before


def hand_over(words: Sequence[str]) -> int:
    """Let the package's other executable do what the words say: become it, or on Windows wait for it and return its exit code."""
    command = [_beside(WORKER if is_window() else WINDOW), *words]
    if sys.platform == "win32":
        return subprocess.run(command, env=environment(), check=False).returncode
    os.execve(command[0], command, environment())
