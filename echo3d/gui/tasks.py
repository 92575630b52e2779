"""Short work of the window off the Qt thread: a small pool of threads, answers come back as signals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from echo3d.errors import Echo3dError


class Tasks(QObject):
    """Runs functions with frozen input on a pool; ``done`` and ``failed`` are called on the Qt thread."""

    _finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None, threads: int = 2) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="task")
        self._open = True
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
        """Run ``work`` on the pool, then hand its value to ``done`` or its sentence to ``failed``."""
        if self._open:
            self.bring(self._pool.submit(work), done, failed)

    def bring(self, future: Future[Any], done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
        """Bring the value of a future to the Qt thread."""
        future.add_done_callback(lambda ready: self._post(lambda: answer(ready, done, failed)))

    def post(self, call: Callable[[], None]) -> None:
        """Call something on the Qt thread soon; may be used from any thread."""
        self._post(call)

    def _post(self, call: Callable[[], None]) -> None:
        if self._open:
            self._finished.emit(call, None)

    def _deliver(self, call: Callable[[], None], _: object) -> None:
        if self._open:
            call()

    def close(self) -> None:
        """Drop what waits and end the threads."""
        self._open = False
        self._pool.shutdown(wait=True, cancel_futures=True)


def answer(future: Future[Any], done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
    """Hand on the value or the error of a finished future."""
    if future.cancelled():
        return
    error = future.exception()
    if error is None:
        done(future.result())
    elif isinstance(error, Echo3dError):
        failed(str(error))
    else:
        failed(f"this did not work inside ({type(error).__name__}); Help > System report says more, please report it")
