"""Questions to the command line in a process of its own, which alone imports torch; the window goes on meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment

from echo3d.jobs.launcher import environment, own_command

_LOST = "the background process ended without an answer; Help > Log says more, try again"
_GONE_MS = 3000


class Asking(QObject):
    """Asks one question at a time; a newer one ends the older."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._process is not None

    def ask(self, words: Sequence[str], done: Callable[[dict[str, Any]], object], failed: Callable[[str], object]) -> None:
        """Run ``echo3d WORDS --json``; hand its object to ``done``, or a sentence to ``failed``."""
        self.drop()
        process = QProcess(self)
        variables = QProcessEnvironment()
        for name, value in environment().items():
            variables.insert(name, value)
        process.setProcessEnvironment(variables)
        program, *rest = own_command(*words, "--json")
        process.finished.connect(lambda code, _: self._ended(process, code, done, failed))
        process.errorOccurred.connect(lambda error: self._broken(process, error, failed))
        self._process = process
        process.start(program, rest)

    def drop(self) -> None:
        """Ask no more."""
        if self._process is not None:
            process, self._process = self._process, None
            process.finished.disconnect()
            process.errorOccurred.disconnect()
            process.finished.connect(process.deleteLater)
            process.kill()

    def close(self) -> None:
        """Ask no more, and wait until the process is gone."""
        process = self._process
        self.drop()
        if process is not None:
            process.waitForFinished(_GONE_MS)

    def _broken(self, process: QProcess, error: QProcess.ProcessError, failed: Callable[[str], object]) -> None:
        if error == QProcess.ProcessError.FailedToStart and process is self._process:
            self._process = None
            process.deleteLater()
            failed(_LOST)

    def _ended(self, process: QProcess, code: int, done: Callable[[dict[str, Any]], object], failed: Callable[[str], object]) -> None:
        self._process = None
        answer = _object(bytes(process.readAllStandardOutput().data()))
        process.deleteLater()
        if code == 0 and answer is not None:
            done(answer)
        else:
            failed(str((answer or {}).get("error", _LOST)))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(text)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None
