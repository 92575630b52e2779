"""The main window: it holds the session, turns wishes into changes of it, and shows the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QUndoGroup, QUndoStack
from PySide6.QtWidgets import QFileDialog, QMainWindow, QSplitter, QStackedWidget, QWidget

from echo3d.core.views import View
from echo3d.engine.client import EngineClient
from echo3d.errors import InputError
from echo3d.gui import theme
from echo3d.gui.canvas import PATIENT, POSITION, TRAINING
from echo3d.gui.dropping import dropped
from echo3d.gui.header import Header
from echo3d.gui.icons import pixmap
from echo3d.gui.jobs.corner import JobsCorner
from echo3d.gui.layout import keep_layout, restore_layout
from echo3d.gui.menus import build_menus, show_place
from echo3d.gui.patient_page import PatientPage
from echo3d.gui.position.actions import Actions
from echo3d.gui.position.page import PositionPage
from echo3d.gui.position.restyler import Restyler
from echo3d.gui.session.desk import SessionDesk
from echo3d.gui.shell import Shell
from echo3d.gui.study_flow import StudyFlow, is_demo
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.corner import Training
from echo3d.gui.undo import PhaseChange, Phases
from echo3d.gui.view_menu import show_view_menu
from echo3d.gui.widgets import column
from echo3d.paths import resource, user_logs
from echo3d.session import SPEEDS, Drawing, Session, Stage, dismissed, failed, opening, recomputing, toggled, with_phase_frame
from echo3d.settings import load_settings, save_settings, with_recent

TICK_MS = 16
_CLOSE_S, _EXPORT_S = 2.0, 120.0
"""How long the inference process may take to end; longer while it writes a result folder."""
FILTERS = "Echo studies (*.dcm *.zip *.mp4 *.avi *.mov *.png *.jpg *.jpeg DICOMDIR);;All files (*)"


class MainWindow(QMainWindow):
    """The one window of the application.

    Parameters
    ----------
    engine : the inference process; closed with the window
    """

    def __init__(self, engine: EngineClient | None = None) -> None:
        super().__init__()
        self.settings = load_settings()
        self.session = replace(
            Session(),
            opacity=self.settings.overlay_opacity,
            outlines=self.settings.show_outlines,
            fill=self.settings.show_fill,
        )
        self.engine = engine or EngineClient(log=user_logs() / "engine.log")
        self.tasks = Tasks(self, threads=4)
        self.flow = StudyFlow(self.tasks, self.engine, self.dispatch, model=self.settings.model, device=self.settings.device)
        self.undo = QUndoStack(self)
        self.undo_group = QUndoGroup(self)
        self.place = "patient"
        self.header = Header()
        self.page = PatientPage(self.tasks)
        self.position = PositionPage(self.page.heart.heart.canvas, self.tasks, Restyler(self.engine))
        self.actions_of_position = Actions(self.position, self.tasks)
        self.training = Training(self)
        self.desk = SessionDesk(self)
        self._build()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)
        self.show_patient()
        self.dispatch(lambda session: session)

    def _build(self) -> None:
        self.setWindowIcon(QIcon(pixmap("heart", theme.BRAND, 64)))
        self.setAcceptDrops(True)
        self.setMinimumSize(1250, 740)
        body = QWidget()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.page)
        self.pages.addWidget(self.position)
        layout = column(self.header, self.desk.bar, self.pages, spacing=0)
        layout.setStretch(2, 1)
        body.setLayout(layout)
        self.setCentralWidget(body)
        for stack in (self.undo, self.position.undo):
            self.undo_group.addStack(stack)
        self._placed = build_menus(self, self.undo_group, self.run_command)
        self.position.said.connect(self._wrong)
        self.position.said_softly.connect(self.say)
        self.header.command.connect(self.run_command)
        self.header.recent_wanted.connect(lambda path: self.open_paths([Path(path)]))
        self.header.dismissed.connect(lambda: self.dispatch(dismissed))
        self.header.show_recent(self.settings.recent)
        self.page.command.connect(self.run_command)
        self.page.views.transport.speed_wanted.connect(lambda speed: self.change(speed=speed))
        self.page.views.opacity_wanted.connect(lambda opacity: self.change(opacity=opacity))
        self.page.views.grid.selected.connect(lambda view: self.change(selected=view))
        self.page.views.grid.menu_wanted.connect(self._view_menu)
        self.page.heart.structures.toggled.connect(lambda group, shown: self.dispatch(lambda s: toggled(s, group, shown)))
        self.shell = Shell(self)
        self.shell.prepare_actions()
        self.header.fill_menus({action.objectName(): action for action in self.shell.actions_shown()})
        self.jobs = JobsCorner(self, self.tasks, self.position.job_started)
        self.jobs.said.connect(self.shell.notify)
        self.jobs.run_wanted.connect(self.training.show_run)
        self.show_jobs = self.jobs.toggle
        restore_layout(self, self._splitters)
        self.desk.connect_window()

    # -- the workspaces ------------------------------------------------------------------------------------------------------------------

    def show_patient(self) -> None:
        """Show the patient's workspace."""
        self._show_place("patient", PATIENT)

    def show_position(self) -> None:
        """Show the positioning workspace."""
        self.pause()
        self._show_place("position", POSITION)
        self.position.loading.start()
        self.position.setFocus()

    def show_training(self) -> None:
        """Show the training workspace."""
        self.pause()
        self.training.open()
        self._show_place("training", TRAINING)

    def _show_place(self, place: str, number: int) -> None:
        self.place = place
        if number != TRAINING:
            self.training.leave()
        self.pages.setCurrentIndex(number)
        self.page.heart.heart.canvas.use(number)
        self.undo_group.setActiveStack({"patient": self.undo, "position": self.position.undo}.get(place))  # type: ignore[arg-type]
        show_place(self._placed, place)
        self.header.show_place(place)
        self.shell.show_place(place)

    # -- the session ---------------------------------------------------------------------------------------------------------------------

    def dispatch(self, change: Callable[[Session], Session]) -> None:
        """Apply a change to the session and show it."""
        self.session = change(self.session)
        self.header.show_session(self.session, demo=is_demo(self.session))
        self.page.show_session(self.session)
        self.shell.show_session(self.session)
        self.desk.noticed()

    def change(self, **fields: object) -> None:
        """Set fields of the session."""
        self.dispatch(lambda session: replace(session, **fields))  # type: ignore[arg-type]

    def run_command(self, name: str, *_: object) -> None:
        """Do what a command's name says, in the workspace that is shown."""
        self.shell.ran(name)
        getattr(self.owner_of(name, self.place), name)()

    def owner_of(self, name: str, place: str) -> object:
        """Return what does a command in a workspace."""
        own = {"position": self.actions_of_position, "training": self.training.actions}
        owners = (*((own[place],) if place in own else ()), self.shell, self.desk)
        return next((owner for owner in owners if hasattr(owner, name)), self)

    def _tick(self) -> None:
        if not self.isVisible():
            return
        if self.place == "position":
            self.position.tick()
        elif self.place == "patient" and self.session.study is not None:
            self.page.tick()

    # -- opening -------------------------------------------------------------------------------------------------------------------------

    def open_paths(self, paths: list[Path], *, views: dict[View, Path] | None = None, remember: bool = True) -> None:
        """Open a study from files, folders or a zip."""
        self.undo.clear()
        if remember and len(paths) == 1:
            self.settings = with_recent(self.settings, str(paths[0]))
            save_settings(self.settings)
            self.header.show_recent(self.settings.recent)
        self.dispatch(lambda session: opening(session, tuple(paths), views))
        self.flow.read(self.session)

    def open_demo(self) -> None:
        """Open the embedded patient."""
        try:
            self.open_paths([resource("demo")], remember=False)
        except InputError as exc:
            sentence = str(exc)
            self.dispatch(lambda session: failed(session, sentence))

    def open_files(self) -> None:
        """Ask for files and open them."""
        names, _ = QFileDialog.getOpenFileNames(self, "Open a study", "", FILTERS)
        if names:
            self.open_paths([Path(name) for name in names])

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        name = QFileDialog.getExistingDirectory(self, "Open the folder of a study")
        if name:
            self.open_paths([Path(name)])

    def assign(self, view: View, path: Path) -> None:
        """Use a file as one view of the open study."""
        views = self.session.views | {view: path}
        paths = self.session.paths if self.session.study is not None else ()
        self.open_paths(list(paths), views=views, remember=False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            dropped(self, paths, event.position().toPoint())

    def _view_menu(self, view: View, where: QPoint) -> None:
        known = self.session.result is not None and view in self.session.result.clips
        show_view_menu(
            self, view, where, correctable=known, run=lambda name: self._ask_view(view) if name == "ask_view" else self.run_command(name)
        )

    def _ask_view(self, view: View) -> None:
        name, _ = QFileDialog.getOpenFileName(self, f"File of {view.title}", "", FILTERS)
        if name:
            self.assign(view, Path(name))

    # -- phases --------------------------------------------------------------------------------------------------------------------------

    def set_ed(self) -> None:
        """Take the frame that is shown as end-diastole of the selected view."""
        self._set_phase("ed")

    def set_es(self) -> None:
        """Take the frame that is shown as end-systole of the selected view."""
        self._set_phase("es")

    def _set_phase(self, phase: str) -> None:
        if self.session.result is not None and self.session.stage in (Stage.DONE, Stage.FAILED):
            changed = with_phase_frame(self.session, phase, self.page.leading_frame())
            self.undo.push(PhaseChange(f"set {phase.upper()}", self.recompute, self._phases(), (changed.ed, changed.es)))

    def reset_phases(self) -> None:
        """Use the proposed frames again."""
        if self.session.ed or self.session.es:
            self.undo.push(PhaseChange("use the proposed frames", self.recompute, self._phases(), ({}, {})))

    def _phases(self) -> Phases:
        return self.session.ed, self.session.es

    def recompute(self, ed: dict[View, int], es: dict[View, int]) -> None:
        """Compute the heart again with other frames."""
        if self.session.study is not None:
            self.dispatch(lambda session: recomputing(session, ed=ed, es=es))
            self.flow.compute(self.session)

    def compute_again(self) -> None:
        """Compute the heart of the open study again, for instance after the inference process was lost."""
        if self.session.stage in (Stage.DONE, Stage.FAILED):
            self.recompute(self.session.ed, self.session.es)

    def go_ed(self) -> None:
        """Show end-diastole and stand still."""
        self.pause()
        self.page.seek(self.page.player.phase_ms(0.0))

    def go_es(self) -> None:
        """Show end-systole and stand still."""
        self.pause()
        self.page.seek(self.page.player.phase_ms(1.0))

    def pause(self) -> None:
        """Stand still."""
        self.change(playing=False)

    def toggle_playing(self) -> None:
        """Run or stand still."""
        self.change(playing=not self.session.playing)

    def step_forward(self) -> None:
        """Stand still one frame on."""
        self.pause()
        self.page.step(1)

    def step_back(self) -> None:
        """Stand still one frame back."""
        self.pause()
        self.page.step(-1)

    def faster(self) -> None:
        """Take the next higher speed."""
        self.change(speed=next((s for s in SPEEDS if s > self.session.speed), SPEEDS[-1]))

    def slower(self) -> None:
        """Take the next lower speed."""
        self.change(speed=next((s for s in reversed(SPEEDS) if s < self.session.speed), SPEEDS[0]))

    def toggle_outlines(self) -> None:
        """Draw the overlay's outlines or not."""
        self.change(outlines=not self.session.outlines)

    def toggle_fill(self) -> None:
        """Fill the overlay or not."""
        self.change(fill=not self.session.fill)

    def toggle_labels(self) -> None:
        """Name the chambers or not."""
        self.change(labels=not self.session.labels)

    def draw_cut(self) -> None:
        """Cut the heart open along the selected view."""
        self.change(drawing=Drawing.CUT)

    def draw_glass(self) -> None:
        """Draw the walls as glass round the blood."""
        self.change(drawing=Drawing.GLASS)

    def draw_solid(self) -> None:
        """Draw the heart whole."""
        self.change(drawing=Drawing.SOLID)

    def look_anatomical(self) -> None:
        """Look from the patient's front."""
        self.change(as_echo=False)

    def look_echo(self) -> None:
        """Look as the selected echo view does."""
        self.change(as_echo=True)

    def toggle_structures(self) -> None:
        """Open or close the list of structures."""
        self.change(listed=not self.session.listed)

    def export_result(self) -> None:
        """Ask for a folder and write the result into it."""
        name, _ = QFileDialog.getSaveFileName(self, "Name of the result folder", "echo3d-result")
        if name:
            self.say("Writing the result folder …")
            self.flow.export(Path(name), lambda: self.say("The result folder was written."), self._wrong)

    def save_heart_picture(self) -> None:
        """Ask for a file and write a picture of the heart into it."""
        name, _ = QFileDialog.getSaveFileName(self, "Save a picture of the heart", "heart.png", "PNG (*.png)")
        if name:
            from echo3d.io.images import write_png

            write_png(Path(name), self.page.heart.heart.picture())

    def _wrong(self, sentence: str) -> None:
        self.dispatch(lambda session: replace(session, error=sentence))

    def say(self, sentence: str) -> None:
        """Show a sentence for a few seconds."""
        self.shell.notify("info", sentence)

    # -- the window itself ---------------------------------------------------------------------------------------------------------------

    def quit(self) -> None:
        """Close the window."""
        self.close()

    @property
    def _splitters(self) -> dict[str, QSplitter]:
        return {"splitter": self.page.splitter, "position": self.position.splitter, **self.training.splitters}

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved work, keep the layout, then end timers, threads, the inference process and OpenGL."""
        if not self.desk.may_close():
            event.ignore()
            return
        keep_layout(self, self._splitters)
        session = self.session
        kept = {"overlay_opacity": session.opacity, "show_outlines": session.outlines, "show_fill": session.fill}
        save_settings(self.settings.model_copy(update=kept))
        self._timer.stop()
        self.desk.close()
        self.training.close()
        self.shell.close_shell()
        self.position.close_page()
        self.page.close_page()
        self.tasks.close()
        self.engine.close(_EXPORT_S if self.flow.exporting else _CLOSE_S)
        super().closeEvent(event)
