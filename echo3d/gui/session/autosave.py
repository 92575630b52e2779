"""Autosave: what changed is written aside, off the Qt thread, when the hand rests or half a minute has passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from echo3d.gui.tasks import Tasks
from echo3d.saved import recovery
from echo3d.saved.capture import Snapshot

LOOK_MS = 2_000
EVERY_S, IDLE_S = 30.0, 4.0
"""Changes are written after the longest time, or earlier when nothing has changed for the shorter one."""

Job = tuple[Snapshot, Path | None, Callable[[Path], str]]
"""What the window shows, the session's own file, and what returns the hashes that are known."""


class Autosave(QObject):
    """Keeps one file up to date while there is unsaved work.

    Parameters
    ----------
    tasks : the thread that writes
    key : returns what changes when there is something new to be written, None where there is no unsaved work
    job : returns what is to be written, None where it cannot be taken now
    wrong : hears why a file could not be written
    """

    def __init__(
        self, tasks: Tasks, key: Callable[[], object], job: Callable[[], Job | None], wrong: Callable[[str], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._tasks, self._key, self._job, self._wrong = tasks, key, job, wrong
        self._own: Path | None = None
        self._written: object = None
        self._seen: object = None
        self._seen_at = self._written_at = time.monotonic()
        self._writing = self._failed = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.check)
        self._timer.start(LOOK_MS)

    @property
    def file(self) -> Path:
        """The file of this window."""
        if self._own is None:
            self._own = recovery.own_file()
        return self._own

    def check(self) -> None:
        """Write what is new if it is time; remove the file where nothing is unsaved."""
        key, now = self._key(), time.monotonic()
        if key != self._seen:
            self._seen, self._seen_at = key, now
        if key is None:
            self.forget()
        elif key != self._written and not self._writing and (now - self._seen_at >= IDLE_S or now - self._written_at >= EVERY_S):
            self.write()

    def write(self) -> None:
        """Write what the window shows now."""
        job, key = self._job(), self._key()
        if job is None or key is None:
            return
        self._writing = True
        self._tasks.run(partial(recovery.autosave, self.file, *job), lambda _: self._done(key), self._not_done)

    def _done(self, key: object) -> None:
        self._writing = self._failed = False
        self._written, self._written_at = key, time.monotonic()

    def _not_done(self, sentence: str) -> None:
        """Say once why it could not be written; it is tried again."""
        self._writing, self._written_at = False, time.monotonic()
        self._seen_at = time.monotonic() + EVERY_S
        if not self._failed:
            self._failed = True
            self._wrong(f"unsaved work could not be kept aside for a crash: {sentence}")

    def claimed(self) -> None:
        """Know that the file holds what a crash left, which is unsaved work until it is saved."""
        self._written = "claimed"

    def forget(self) -> None:
        """Remove the file; nothing is unsaved."""
        if self._own is not None and not self._writing and self._written is not None:
            recovery.discard(self._own)
            self._written = None

    def close(self) -> None:
        """Stop looking and remove the file; after the writing thread has ended."""
        self._timer.stop()
        if self._own is not None:
            recovery.discard(self._own)
