"""How long a data set will take and how large it will be: asked of the command line in a process of its own, the newest question only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from echo3d.dataset.order import words_of
from echo3d.dataset.spec import DatasetSpec
from echo3d.jobs.launcher import environment, own_command
from echo3d.jobs.words import duration, size

SETTLE_MS = 700
"""After the last change it is asked."""
_REFUSED = 2


class Estimating(QObject):
    """Asks; ``found`` is sent with a sentence and whether it is good news, ``refused`` with one on why nothing can be made."""

    asking = Signal()
    found = Signal(str, bool)
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self._process: QProcess | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._start)

    def ask(self, spec: DatasetSpec, out: Path, workers: int | None) -> None:
        """Ask soon, unless another question comes first; what is being asked is dropped."""
        words = ["dataset", "estimate", *words_of(spec), "--out", str(out), "--json"]
        words += [] if workers is None else ["--workers", str(workers)]
        if words == self._words:
            return
        self.drop()
        self._words = words
        self.asking.emit()
        self._timer.start()

    def drop(self) -> None:
        """Ask no more."""
        self._timer.stop()
        self._words = []
        if self._process is not None:
            process, self._process = self._process, None
            process.finished.disconnect()
            process.kill()
            process.finished.connect(process.deleteLater)

    def close(self) -> None:
        """Ask no more, and wait until the process is gone."""
        process = self._process
        self.drop()
        if process is not None:
            process.waitForFinished(3000)

    def _start(self) -> None:
        process = QProcess(self)
        variables = QProcessEnvironment()
        for name, value in environment().items():
            variables.insert(name, value)
        process.setProcessEnvironment(variables)
        program, *words = own_command(*self._words)
        process.finished.connect(lambda code, _: self._ended(process, code))
        process.errorOccurred.connect(lambda _: None)
        self._process = process
        process.start(program, words)

    def _ended(self, process: QProcess, code: int) -> None:
        self._process = None
        answer = _object(bytes(process.readAllStandardOutput().data()))
        process.deleteLater()
        if code == 0 and answer is not None:
            self.found.emit(sentence_of(answer), bool(answer["fits"]))
        elif code == _REFUSED and answer is not None:
            self.refused.emit(str(answer.get("error", "")))
        else:
            self.found.emit("Time and size could not be measured; the data set can be started all the same.", False)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(text)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def sentence_of(answer: dict[str, Any]) -> str:
    """Return what an estimate says, in two lines.

    >>> said = {"seconds": 95, "workers": 2, "samples": 40, "bytes": 3e6, "timed": 4, "free_bytes": 5e9, "fits": True}
    >>> print(sentence_of(said))
    About 95 s on 2 processes, 3.0 MB, 40 samples of pictures.
    Measured on its first 4 hearts; 5.0 GB are free.
    """
    several = "es" if answer["workers"] > 1 else ""
    first = f"About {duration(answer['seconds'])} on {answer['workers']} process{several}, {size(answer['bytes'])}, "
    first += f"{answer['samples']} samples of pictures."
    timed = f"its first {answer['timed']} hearts" if answer["timed"] > 1 else "its first heart"
    free = "" if answer["free_bytes"] is None else f"{size(answer['free_bytes'])} are free"
    if not answer["fits"]:
        return f"{first}\nThere is not enough room: {free}. Choose another folder or fewer hearts."
    return f"{first}\nMeasured on {timed}{free and '; '}{free}."
