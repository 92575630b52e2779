"""The page of the training workspace: the new run on the left, curves and pictures in the middle, all runs below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedLayout, QTabWidget, QToolButton, QWidget

from echo3d.gui import theme
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.curves import Curves, loss_plot, measured_plot
from echo3d.gui.training.details import Differences, LogTail, UsePanel
from echo3d.gui.training.new_run import NewRun
from echo3d.gui.training.rows import Run, Sight, is_busy
from echo3d.gui.training.sheet_view import SheetView
from echo3d.gui.training.table import RunsTable
from echo3d.gui.training.welcome import Welcome
from echo3d.gui.widgets import column, command_button, label, row
from echo3d.jobs.spec import State

_BUTTONS = (
    ("cancel_run", "Cancel", "Stop this run; what it has learned stays, and Resume goes on from there"),
    ("resume_run", "Resume", "Go on with this run where it was"),
    ("duplicate_run", "Duplicate", "Fill the form on the left with this run's settings"),
    ("use_run", "Use in the application", "Put this network among those of the Patient page"),
    ("export_run", "Export…", "Write weights, card, settings, curves and log into one file"),
    ("delete_run", "Delete…", "Delete this run with its files, after asking"),
    ("manage_networks", "Networks…", "Your own networks: compute with one, or remove it"),
)


def building(tasks: Tasks) -> Iterator[TrainingPage | None]:
    """Build the page bit by bit, so that the window can do other things in between; it comes last."""
    new = NewRun(tasks)
    yield None
    loss = loss_plot()
    yield None
    measured = measured_plot()
    yield None
    curves = Curves(loss, measured)
    yield None
    yield TrainingPage(tasks, new, curves)


class TrainingPage(QWidget):
    """Shows a sight of all trainings; wishes leave as commands.

    Parameters
    ----------
    tasks : threads of the window
    new, curves : the parts of it that take longest to build
    """

    command = Signal(str)
    lead_changed = Signal(str)
    situation_changed = Signal()

    def __init__(self, tasks: Tasks, new: NewRun, curves: Curves, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sight = Sight()
        self.new, self.curves, self.table, self.welcome = new, curves, RunsTable(), Welcome()
        self.sheets, self.log, self.differences, self.use = SheetView(tasks), LogTail(), Differences(), UsePanel()
        self.tabs = QTabWidget()
        for part, title in ((self.sheets, "Picture"), (self.log, "Log"), (self.differences, "Settings"), (self.use, "Use")):
            self.tabs.addTab(part, title)
        self.sentence = label("", "muted")
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons: Mapping[str, QToolButton] = {name: command_button(title, tip, name, self.command) for name, title, tip in _BUTTONS}
        self._build()
        self.new.command.connect(self.command)
        self.welcome.command.connect(self.command)
        self.new.edited.connect(self._edited)
        self.table.chosen.connect(self._chosen)
        self.reset_layout()

    def _build(self) -> None:
        """Put the parts together from the outside inwards: the style sheet is applied anew to all that gets another parent."""
        self.splitter, self.right, self.above = (
            QSplitter(way) for way in (Qt.Orientation.Horizontal, Qt.Orientation.Vertical, Qt.Orientation.Horizontal)
        )
        self.setLayout(column(self.splitter, margins=(10, 8, 10, 10)))
        runs, below = QWidget(), QWidget()
        self.splitter.addWidget(self.new)
        self.splitter.addWidget(runs)
        self.stack = QStackedLayout(runs)
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(self.right)
        self.right.addWidget(self.above)
        self.right.addWidget(below)
        self.above.addWidget(self.curves)
        self.above.addWidget(self.tabs)
        *of_runs, networks = self.buttons.values()
        below.setLayout(column(row(*of_runs, 1, networks, spacing=6), self.sentence, self.table, spacing=6))
        for one in (self.above, self.right, self.splitter):
            one.setHandleWidth(10)
            one.setChildrenCollapsible(False)
        self.new.setMinimumWidth(300)
        self.tabs.setMinimumWidth(280)
        self.curves.setMinimumWidth(300)
        self.table.setMinimumHeight(90)

    @property
    def splitters(self) -> dict[str, QSplitter]:
        """The parts whose sizes are kept, by name."""
        return {
            "training": self.splitter,
            "training_right": self.right,
            "training_above": self.above,
            "training_curves": self.curves.splitter,
        }

    def reset_layout(self) -> None:
        """Give all parts their usual share."""
        for splitter, sizes in ((self.splitter, (340, 1220)), (self.above, (700, 480)), (self.right, (620, 250))):
            splitter.setSizes(list(sizes))
            for number, share in enumerate(sizes):
                splitter.setStretchFactor(number, 0 if splitter is self.splitter and not number else share)
        self.curves.splitter.setSizes([300, 300])

    # -- what is shown ---------------------------------------------------------------------------------------------------------------------

    @property
    def lead(self) -> Run | None:
        """The run whose picture, log and use are shown: the one that was clicked last, or else the one that was chosen last."""
        chosen = self.table.chosen_runs
        return next((run for run in chosen if run is self.table.current_run), chosen[-1] if chosen else None)

    def show_sight(self, sight: Sight) -> None:
        """Show how all trainings stand."""
        self.sight = sight
        self.stack.setCurrentIndex(1 if sight.runs else 0)
        self.table.show_runs(sight.runs)
        self.new.show_busy(is_busy(self.new.slot, sight.runs))
        self._show_chosen()

    def _edited(self) -> None:
        self.new.show_busy(is_busy(self.new.slot, self.sight.runs))
        self.situation_changed.emit()

    def _chosen(self) -> None:
        self._show_chosen()
        self.lead_changed.emit("" if self.lead is None else self.lead.name)

    def _show_chosen(self) -> None:
        chosen, lead = self.table.chosen_runs, self.lead
        self.curves.show_runs(chosen)
        self.sheets.show_run(lead)
        self.differences.show_runs(chosen)
        known = lead is not None and self.sight.lead == lead.name
        self.log.show_lines(self.sight.log if known else ())
        self.use.show_run(lead, self.sight.use if known else None)
        said = "" if lead is None else lead.sentence
        self.sentence.setText(said)
        self.sentence.setVisible(bool(said))
        wrong = lead is not None and lead.state in (State.FAILED, State.INTERRUPTED)
        self.sentence.setWordWrap(True)
        self.sentence.setStyleSheet(f"color: {theme.WARN};" if wrong else "")
        if lead is not None and self.sight.lead != lead.name:
            self.lead_changed.emit(lead.name)
        self.situation_changed.emit()

    def words(self) -> frozenset[str]:
        """Return the words of ``allowed.WHY`` that hold of what is chosen."""
        chosen = self.table.chosen_runs
        states = {run.state for run in chosen}
        known = {
            "run": bool(chosen),
            "one_run": len(chosen) == 1,
            "runs_alive": bool(states & {State.RUNNING, State.QUEUED}),
            "runs_broken": any(not state.alive and state not in (State.DONE, State.QUEUED) for state in states),
            "runs_ended": bool(chosen) and not any(state.alive for state in states),
            "run_done": len(chosen) == 1 and chosen[0].state is State.DONE,
            "wish": not self.new.why_not,
        }
        return frozenset(word for word, holds in known.items() if holds)
