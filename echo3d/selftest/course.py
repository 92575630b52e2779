"""The order of the self-test, and what becomes of a step that fails."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from echo3d.errors import Echo3dError

Work = Callable[[Path], str]
"""Does one step in a folder and returns what was found."""


class NotHereError(Echo3dError):
    """A step cannot be tried on this machine, which says nothing against the installation."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the self-test.

    Parameters
    ----------
    name : what was done
    state : "ok", "failed", or "absent" where it cannot be tried here
    found : what came of it
    seconds : how long it took
    """

    name: str
    state: str
    found: str
    seconds: float


def attempt() -> Iterator[Step]:
    """Yield each step when it has ended; none raises. What is written lies in a temporary folder, the user's own files are left alone."""
    from echo3d.selftest.clips import SYNTAXES, speckle
    from echo3d.selftest.steps import cut, decoded, drawn, reconstructed
    from echo3d.selftest.training import resumed
    from echo3d.selftest.window import opened

    frames = speckle()
    works: list[tuple[str, Work]] = [(f"Decode {one.name}", partial(decoded, frames, one)) for one in SYNTAXES]
    works += [("Slice the template", cut), ("Reconstruct the embedded patient", reconstructed), ("Draw a heart", drawn)]
    works += [("Train, cancel, resume", resumed), ("Open and close the window", opened)]
    with tempfile.TemporaryDirectory(prefix="echo3d-selftest-") as name, _home(Path(name) / "home"):
        for title, work in works:
            yield _tried(title, work, Path(name))


def _tried(name: str, work: Work, folder: Path) -> Step:
    """Do one step; whatever it stumbles over is told as its failure."""
    begun = time.monotonic()
    try:
        state, found = "ok", work(folder)
    except NotHereError as exc:
        state, found = "absent", str(exc)
    except Echo3dError as exc:
        state, found = "failed", str(exc)
    except Exception as exc:  # a broken installation may raise anything
        from echo3d.logs import places

        state, found = "failed", f"{places(exc)}; install echo3d again"
    return Step(name, state, found, time.monotonic() - begun)


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Let this process and those that it starts keep their settings, logs and jobs in a folder."""
    names = ("ECHO3D_HOME", "ECHO3D_JOBS_DIR")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ["ECHO3D_HOME"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("ECHO3D_HOME")
        os.environ.update({name: value for name, value in before.items() if value is not None})
