"""Where the window meets its jobs: the panel in a dock, their number in the status line, and what the panel's buttons do."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QUrl, Signal, SignalInstance
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QCheckBox, QDockWidget, QMainWindow, QMessageBox

from echo3d.frozen import outside
from echo3d.gui.jobs.panel import JobsPanel
from echo3d.gui.jobs.rows import JobRow, Look, told
from echo3d.gui.jobs.watching import JobsWatch
from echo3d.gui.tasks import Tasks
from echo3d.gui.widgets import text_button

HEIGHT = 230


class JobsCorner(QObject):
    """Brings jobs into a window; ``said`` is sent with the kind of a notice and its sentence, ``run_wanted`` with
    the name of a training that is to be shown in its workspace.

    Parameters
    ----------
    window : gets a dock and a button in its status line
    tasks : threads of the window
    started : sent with the name of a job that was started here
    """

    said = Signal(str, str)
    run_wanted = Signal(str)

    def __init__(self, window: QMainWindow, tasks: Tasks, started: SignalInstance) -> None:
        super().__init__(window)
        self._window = window
        self.panel, self.watch = JobsPanel(), JobsWatch(tasks, self)
        self.dock = QDockWidget("Jobs", window)
        self.dock.setObjectName("jobs")
        self.dock.setWidget(self.panel)
        self.dock.hide()
        self.reset_place()
        self.count = text_button("", "Show the jobs (Ctrl+J)", self.toggle)
        self.count.hide()
        window.statusBar().addPermanentWidget(self.count)
        self._wanted = ""
        self.dock.visibilityChanged.connect(self._shown)
        self.watch.looked.connect(self._looked)
        self.watch.failed.connect(self._wrong)
        self.panel.chosen.connect(self.watch.choose)
        self.panel.wished.connect(self._do)
        started.connect(self.open)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at the jobs while the window is open."""
        if event.type() == QEvent.Type.Show:
            self.watch.start()
        elif event.type() == QEvent.Type.Hide:
            self.watch.stop()
        return super().eventFilter(watched, event)

    def open(self, name: str = "") -> None:
        """Show the panel, with one job chosen where it is named."""
        self._wanted = name
        self.dock.show()
        self.dock.raise_()
        self.watch.now()

    def toggle(self) -> None:
        """Show or hide the panel."""
        self.dock.hide() if self.dock.isVisible() else self.open()

    def reset_place(self) -> None:
        """Put the panel where it stands at first: hidden, at the foot of the window."""
        self.dock.setFloating(False)
        self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.dock)
        self._window.resizeDocks([self.dock], [HEIGHT], Qt.Orientation.Vertical)
        self.dock.hide()

    def _shown(self, visible: bool) -> None:
        self.watch.eager = visible
        if visible:
            self.watch.now()

    def _looked(self, look: Look) -> None:
        for kind, sentence in told(self.panel.model.rows, look.rows):
            self.said.emit(kind, sentence)
        self.panel.show_look(look)
        if self._wanted:
            self.panel.choose(self._wanted)
            self._wanted = ""
        self.count.setText(counted(look))
        self.count.setVisible(bool(look.rows))

    def _wrong(self, sentence: str) -> None:
        self.panel.show_problem(sentence)
        if not self.dock.isVisible():
            self.said.emit("error", sentence[:1].upper() + sentence[1:])

    # -- the panel's buttons --------------------------------------------------------------------------------------------------------------

    def _do(self, name: str, row: JobRow) -> None:
        """Do what a button of the panel says."""
        self.panel.show_problem("")
        if name == "open_folder":
            self._open_folder(row.out if Path(row.out).is_dir() else str(self.watch.look.known[row.name].folder))  # type: ignore[index]
        elif name == "copy_path":
            QGuiApplication.clipboard().setText(row.out)
            self.said.emit("info", "The path was copied.")
        elif name == "show_run":
            self.run_wanted.emit(row.name)
        elif name == "delete":
            self._ask_delete(row)
        else:
            {"cancel": self.watch.cancel, "resume": self.watch.resume}[name](row.name)

    def _open_folder(self, path: str) -> None:
        """Have the system show a folder; say where it is, and copy its path, where the system has no program for folders."""
        with outside():
            opened = QDesktopServices.openUrl(QUrl.fromLocalFile(path))
        if not opened:
            QGuiApplication.clipboard().setText(path)
            self.panel.show_problem("No program that shows folders was found; the path was copied instead.")

    def _ask_delete(self, row: JobRow) -> None:
        """Ask whether a job is to be deleted, and whether the data set that it made is to go too."""
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Delete this job")
        box.setText(f"{row.title}\n\nThe job and its log are deleted. This cannot be undone.")
        too = QCheckBox(f"Delete the data set in the folder {Path(row.out).name} as well")
        if row.name.startswith("dataset-"):
            box.setCheckBox(too)
        sure = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        sure.clicked.connect(lambda: self.watch.delete(row.name, Path(row.out) if too.isChecked() else None))
        box.open()


def counted(look: Look) -> str:
    """Return the number of running jobs in words.

    >>> counted(Look())
    'No jobs running'
    """
    running = [row for row in look.rows if row.state.alive]
    if not running:
        return "No jobs running"
    if len(running) > 1:
        return f"{len(running)} jobs running"
    return " · ".join(["1 job running", *filter(None, [running[0].done, running[0].left and f"{running[0].left} left"])])
