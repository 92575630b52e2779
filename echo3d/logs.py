"""The log: what the program did and what went wrong inside, in words of its own; never a patient's name or identifier, never a path.

A line is the constant text that stands in our code, with numbers, truth values and words marked as harmless (:class:`Word`) put in; every
other value is left out. Of what other libraries say only who said it and where is kept, because their messages may name a file or a
patient; of an exception only its kind and its places in the code.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from logging.handlers import RotatingFileHandler
from pathlib import Path

from echo3d.paths import user_logs

LOG_NAME = "echo3d.log"
LINES_KEPT = 1000
_BYTES, _KEPT = 500_000, 3
_LEFT_OUT = "…"


class Word(str):
    """A text that is known to hold nothing of a patient: a version, a command's name, the name of a graphics card."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log.

    Parameters
    ----------
    number : rises with every line
    at : seconds since the epoch
    level : such as ``logging.WARNING``
    source : the part of the program
    text : what happened
    """

    number: int
    at: float
    level: int
    source: str
    text: str


class Ring(logging.Handler):
    """Keeps the last lines of the log; may be read from any thread."""

    def __init__(self, kept: int = LINES_KEPT) -> None:
        super().__init__()
        self._lines: deque[Line] = deque(maxlen=kept)
        self._count = 0
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as a line."""
        text = safe_text(record)
        with self._guard:
            self._count += 1
            self._lines.append(Line(self._count, record.created, record.levelno, record.name, text))

    def lines(self, after: int = 0) -> tuple[Line, ...]:
        """Return the lines with a number above ``after``, the oldest first."""
        with self._guard:
            return tuple(line for line in self._lines if line.number > after)

    @property
    def count(self) -> int:
        """The number of the newest line."""
        return self._count


class _Formatter(logging.Formatter):
    """Writes a record without what may name a patient."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record)} {record.levelname} {record.name}: {safe_text(record)}"


def start_log(*, on_file: bool = True) -> Ring:
    """Start to keep the log of this process, in memory and on file; return the lines in memory.

    A log that was started before goes on. Where the file cannot be written, only the lines in memory are kept.
    """
    root = logging.getLogger()
    known = next((handler for handler in root.handlers if isinstance(handler, Ring)), None)
    ring = known or Ring()
    if known is None:
        logging.getLogger("echo3d").setLevel(logging.INFO)
        root.addHandler(ring)
    if on_file and not any(isinstance(handler.formatter, _Formatter) for handler in root.handlers):
        root.addHandler(_file_handler())
    return ring


def _file_handler() -> logging.Handler:
    handler = RotatingFileHandler(user_logs() / LOG_NAME, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(_Formatter())
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk must not stop the work
    return handler


def safe_text(record: logging.LogRecord) -> str:
    """Return what may be kept of a record.

    >>> make = logging.makeLogRecord
    >>> safe_text(make({"name": "echo3d.io", "msg": "read %d clips of %s", "args": (6, "Doe, Jane")}))
    'read 6 clips of …'
    >>> safe_text(make({"name": "pydicom", "msg": "no such tag in Doe.dcm", "filename": "reader.py", "lineno": 7}))
    'left out, it may name a patient (reader.py:7)'
    """
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    where = f" [{places(error)}]" if error is not None else ""
    if record.name != "echo3d" and not record.name.startswith("echo3d."):
        return f"left out, it may name a patient ({record.filename}:{record.lineno}){where}"
    given = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
    try:
        return str(record.msg) % tuple(_safe(value) for value in given) + where
    except (TypeError, ValueError):
        return f"a line that could not be written ({record.filename}:{record.lineno}){where}"


def _safe(value: object) -> object:
    """Return a value that may stand in the log, or a mark that it was left out."""
    if isinstance(value, Enum):
        return value.name.lower()
    return value if value is None or isinstance(value, bool | int | float | Word) else _LEFT_OUT


def log_failure(exc: BaseException) -> None:
    """Log the kind of an exception and its places in the code; in a process that keeps no file it is appended to the usual one."""
    handlers = logging.getLogger().handlers
    if any(isinstance(handler, Ring) for handler in handlers):
        logging.getLogger("echo3d.failure").error("%s", Word(places(exc)))
    if not any(isinstance(handler.formatter, _Formatter) for handler in handlers):
        _quietly(lambda: _append(exc))


def _append(exc: BaseException) -> None:
    handler = _file_handler()
    handler.handle(logging.LogRecord("echo3d.failure", logging.ERROR, "", 0, "%s", (Word(places(exc)),), None))
    handler.close()


def _quietly(work: Callable[[], None]) -> None:
    """Do something that may fail where files cannot be written; nothing is lost but the line."""
    try:
        work()
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
