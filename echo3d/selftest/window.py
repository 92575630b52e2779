"""The step of the self-test that opens the window: on the screen that there is, or on one of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from echo3d.errors import EngineError
from echo3d.frozen import environment, outside, window_command
from echo3d.selftest.course import NotHereError

WAIT_S = 300
_SCREEN = "1920x1200x24"


def opened(folder: Path) -> str:
    """Open the window on the embedded patient, wait for its heart, and close it.

    Raises
    ------
    EngineError
        If the window ends otherwise, shows no heart, or has imported torch.
    NotHereError
        If there is neither a screen nor Xvfb.
    """
    report = folder / "window.json"
    with _screen() as known:
        begun = time.time()
        command = window_command("--trial", str(report))
        done = subprocess.run(command, env=dict(known), capture_output=True, text=True, timeout=WAIT_S, check=False)
    if done.returncode or not report.is_file():
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise EngineError(f"the window must open and close, found exit code {done.returncode} ({last}); install echo3d again")
    told = json.loads(report.read_text(encoding="utf-8"))
    return _told(told, begun)


def _told(told: Mapping[str, Any], begun: float) -> str:
    """Return what the window reported as a line; ``begun`` is when it was started, seconds since 1970."""
    if told["stage"] != "done" or told["torch"]:
        raise EngineError(
            f"the window must show a heart and hold no torch, found {told['stage']} and {told['torch']}; install echo3d again"
        )
    shown, ended = told["shown_at"] - begun, told["ended_at"] - begun
    return f"shown after {shown:.1f} s ({told['shown_processor_s']:.1f} s of a processor), heart after {ended:.1f} s"


@contextlib.contextmanager
def _screen() -> Iterator[Mapping[str, str]]:
    """Yield an environment with a screen; one that exists only for the test where there is none."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        yield environment()
        return
    program = shutil.which("Xvfb")
    if program is None:
        raise NotHereError("the window needs a screen, and neither one nor Xvfb was found; start the test where windows are shown")
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    with outside():
        server = subprocess.Popen(command, pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            raise EngineError("Xvfb must give a screen to open the window on, found that it ended; install Xvfb again")
        yield environment() | {"DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait()
