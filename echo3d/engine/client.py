"""The window's side of the inference process; no torch, no Qt.

The process is started with the first request, ends with :meth:`EngineClient.close`, and is started again when it went away.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from echo3d import frozen
from echo3d.engine.protocol import Message, read_message, write_message
from echo3d.errors import Echo3dError, EngineError, InputError, ModelError
from echo3d.progress import Progress, silent

_ERRORS: dict[str, type[Echo3dError]] = {"InputError": InputError, "ModelError": ModelError}


def worker_command() -> list[str]:
    """Return the command that starts the inference process."""
    return frozen.worker_command("worker")


def _hidden() -> dict[str, Any]:
    """Return what keeps Windows from opening a console for the process."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {}


@dataclass(slots=True, eq=False)
class _Pending:
    """A request that waits for its answer."""

    future: Future[Message]
    progress: Progress


@dataclass(slots=True, eq=False)
class _Child:
    """One life of the process, with the requests it owes an answer to."""

    process: subprocess.Popen[bytes]
    pending: dict[int, _Pending] = field(default_factory=dict)


class EngineClient:
    """Hands requests to the inference process and answers to futures; safe to call from any thread.

    Parameters
    ----------
    command : starts the process; by default this installation's own worker
    log : file that takes the process's standard error; by default it is discarded
    """

    def __init__(self, command: Sequence[str] | None = None, log: Path | None = None) -> None:
        self._command = list(command or worker_command())
        self._log = log
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._reader: threading.Thread | None = None
        self._ticket = 0

    @property
    def pid(self) -> int | None:
        """Process id of the running process, None where none runs."""
        child = self._child
        return child.process.pid if child is not None and child.process.poll() is None else None

    def request(
        self, kind: str, body: dict[str, Any] | None = None, *, arrays: dict[str, NDArray] | None = None, progress: Progress = silent
    ) -> Future[Message]:
        """Send a request and return the future of its answer.

        The future raises InputError where the input cannot be used and EngineError where the process failed or went away.
        ``progress`` is called on the reading thread.
        """
        future: Future[Message] = Future()
        with self._lock:
            self._ticket += 1
            try:
                child = self._running()
                child.pending[self._ticket] = _Pending(future, progress)
                write_message(_pipe(child.process.stdin), Message(kind, self._ticket, body or {}, arrays or {}))
            except (OSError, ValueError) as exc:
                if self._child is not None:
                    self._child.pending.pop(self._ticket, None)  # so that the reader of its pipe owes no second answer
                self._child = None
                _fail(
                    future,
                    EngineError(f"the inference process could not be reached ({type(exc).__name__}); the next request starts it again"),
                )
        return future

    def _running(self) -> _Child:
        """Return the running process, started where there is none."""
        if self._child is None or self._child.process.poll() is not None:
            stderr = self._log.open("ab") if self._log else subprocess.DEVNULL
            try:
                process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=frozen.environment(), **_hidden()
                )
            finally:
                if not isinstance(stderr, int):
                    stderr.close()
            self._child = _Child(process)
            self._reader = threading.Thread(target=self._read, args=(self._child,), name="engine-reader", daemon=True)
            self._reader.start()
        return self._child

    def _read(self, child: _Child) -> None:
        """Hand answers to their futures until the process is gone."""
        try:
            while (message := read_message(_pipe(child.process.stdout))) is not None:
                self._deliver(child, message)
        except (EngineError, OSError, ValueError):
            child.process.kill()
        self._gone(child)

    def _deliver(self, child: _Child, message: Message) -> None:
        """Resolve the future of one answer, or report progress."""
        with self._lock:
            pending = child.pending.get(message.ticket) if message.kind == "progress" else child.pending.pop(message.ticket, None)
        if pending is None:
            return
        if message.kind == "progress":
            pending.progress(message.body["share"], message.body["message"])
        elif message.kind == "failed":
            _fail(pending.future, _ERRORS.get(message.body["kind"], EngineError)(message.body["sentence"]))
        elif pending.future.set_running_or_notify_cancel():
            pending.future.set_result(message)

    def _gone(self, child: _Child) -> None:
        """Clean up after a process that ended; what it owed becomes an error."""
        code = child.process.wait()
        for stream in (child.process.stdin, child.process.stdout):
            _close_quietly(stream)
        with self._lock:
            owed = list(child.pending.values())
            child.pending.clear()
            if self._child is child:
                self._child = None
        for pending in owed:
            _fail(pending.future, EngineError(f"the inference process stopped ({_why(code)}); ask again and it is started anew"))

    def close(self, timeout: float = 2.0) -> None:
        """End the process: ask, then kill."""
        with self._lock:
            child, reader = self._child, self._reader
            if child is not None:
                try:
                    write_message(_pipe(child.process.stdin), Message("shutdown"))
                except (OSError, ValueError):
                    child.process.kill()
        if child is not None:
            try:
                child.process.wait(timeout)
            except subprocess.TimeoutExpired:
                child.process.kill()
        if reader is not None and reader is not threading.current_thread():
            reader.join(5.0)


def _pipe(stream: Any) -> BinaryIO:
    """Return the pipe, which is there because Popen was asked for it."""
    if stream is None:
        raise EngineError("the inference process has no pipe; the next request starts it again")
    return stream


def _close_quietly(stream: Any) -> None:
    try:
        if stream is not None:
            stream.close()
    except OSError:
        return


def _fail(future: Future[Message], error: Echo3dError) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)


def _why(code: int) -> str:
    """Say how a process ended.

    >>> _why(-9), _why(3)
    ('signal 9', 'exit code 3')
    """
    return f"signal {-code}" if code < 0 else f"exit code {code}"
