"""What went wrong inside, on file: where in the code and of what kind, never the message, which may name a file or a patient."""

from __future__ import annotations

import logging
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path

from echo3d.paths import user_logs

_BYTES, _KEPT = 500_000, 3


def log_failure(exc: BaseException) -> None:
    """Append the kind of an exception and its places in the code to the log file; silent where the file cannot be written."""
    try:
        handler = RotatingFileHandler(user_logs() / "echo3d.log", maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        handler.emit(logging.LogRecord("echo3d", logging.ERROR, "", 0, places(exc), None, None))
        handler.close()
    except OSError:
        return


def places(exc: BaseException) -> str:
    """Return the kind of an exception and the chain of files (base names), lines and functions it came through.

    >>> try:
    ...     int("Doe, Jane")
    ... except ValueError as error:
    ...     text = places(error)
    >>> text.startswith("ValueError at "), "Jane" in text
    (True, False)
    """
    steps = [f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in traceback.extract_tb(exc.__traceback__)]
    return f"{type(exc).__name__} at {' > '.join(steps)}"
