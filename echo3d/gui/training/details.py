"""What the tabs beside the curves show of runs: the end of the log, settings that differ, and what the job takes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QGridLayout, QHeaderView, QPlainTextEdit, QTableWidget, QTableWidgetItem, QWidget

from echo3d.gui.training.devices import Use
from echo3d.gui.training.rows import Run
from echo3d.gui.widgets import column, label
from echo3d.jobs.words import duration, size
from echo3d.runs import Difference, differences, title_of


class LogTail(QPlainTextEdit):
    """The last lines of a job's log; its end is followed where the user has not scrolled away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tail")
        self.setReadOnly(True)
        self.setPlaceholderText("The log of the chosen run appears here.")
        self.setAccessibleName("Log of the run")
        self._lines: tuple[str, ...] = ()

    def show_lines(self, lines: tuple[str, ...]) -> None:
        """Show lines."""
        if lines == self._lines:
            return
        self._lines = lines
        bar = self.verticalScrollBar()
        at, follows = bar.value(), bar.value() >= bar.maximum() - 2
        self.setPlainText("\n".join(lines))
        bar.setValue(bar.maximum() if follows else at)


class Differences(QWidget):
    """In which settings, and in which newest figures, the chosen runs differ; all settings of one run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        self.table.setObjectName("bare")
        self.table.setWordWrap(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.head = label("", "muted", wrap=True)
        self.setLayout(column(self.head, self.table, margins=(10, 8, 10, 8), spacing=6))
        self._shown: tuple[object, ...] = ()

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show the chosen runs."""
        lines = [*differences([run.settings for run in runs]), *figures(runs)] if runs else []
        shown = (tuple(run.name for run in runs), tuple(lines))
        if shown == self._shown:
            return
        self._shown = shown
        several = "Settings in which the runs differ, then what was measured last."
        self.head.setText("Choose a run to see its settings." if not runs else several if len(runs) > 1 else "All settings of this run.")
        self.table.setColumnCount(1 + len(runs))
        self.table.setRowCount(len(lines))
        self.table.setHorizontalHeaderLabels(["", *(run.title for run in runs)])
        for at, line in enumerate(lines):
            for place, text in enumerate((line.name.replace("_", " "), *line.values)):
                cell = QTableWidgetItem(text)
                cell.setToolTip(text)
                self.table.setItem(at, place, cell)
        self.table.setVisible(bool(lines))
        self.table.setColumnWidth(0, 130)
        for place in range(1, 1 + len(runs)):
            self.table.horizontalHeader().setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)


def figures(runs: Sequence[Run]) -> list[Difference]:
    """Return the newest of what is measured of each run, where several are compared."""
    if len(runs) < 2:
        return []
    names = list(dict.fromkeys(name for run in runs for name in run.trace.measured))
    return [Difference(title_of(name), tuple(_newest(run, name) for run in runs)) for name in names]


def _newest(run: Run, name: str) -> str:
    curve = run.trace.curves.get(name)
    return "–" if curve is None or not curve.shape[1] else f"{curve[1, -1]:.4g}"


class UsePanel(QWidget):
    """How the run stands, and what processor and memory it takes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cells = {name: label("–", wrap=True) for name in _NAMES}
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for at, name in enumerate(_NAMES):
            grid.addWidget(label(name, "muted"), at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._cells[name], at, 1)
            self._cells[name].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setLayout(column(grid, 1, margins=(14, 14, 14, 8)))

    def show_run(self, run: Run | None, use: Use | None) -> None:
        """Show what a run takes."""
        for name, text in use_in_words(run, use).items():
            self._cells[name].setText(text)


_NAMES = ("Processor", "Memory", "GPU memory", "Processes", "Learned for", "Remaining", "Folder")


def use_in_words(run: Run | None, use: Use | None) -> dict[str, str]:
    """Return what is shown of a run's use.

    >>> use_in_words(None, Use(150.0, 2_000_000_000, 3))["Processor"]
    '150 % of a core'
    """
    minutes = None if run is None else run.trace.numbers.get("minutes")
    left = None if run is None or not run.state.alive else run.status.remaining_s
    taken = dict.fromkeys(_NAMES, "–")
    if use is not None:
        taken["Processor"], taken["Memory"] = f"{use.processor:.0f} % of a core", size(use.memory)
        taken["GPU memory"] = "no GPU here" if use.gpu is None else size(use.gpu)
        taken["Processes"] = str(use.processes)
    elif run is not None:
        taken["Processor"] = "not running"
    if minutes is not None:
        taken["Learned for"] = duration(60 * minutes)
    if left is not None:
        taken["Remaining"] = duration(left)
    return taken if run is None else taken | {"Folder": str(run.out)}
