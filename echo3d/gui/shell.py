"""What both workspaces share: theme, palette, status line, notices, log, report, help and layout."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from echo3d.gui.allowed import Situation, situation_of
from echo3d.gui.commands import COMMANDS, UNDO
from echo3d.gui.greying import Greying
from echo3d.gui.icons import retint_icons
from echo3d.gui.layout import reset_place
from echo3d.gui.networks import add_networks_menu
from echo3d.gui.status_line import Meter, StatusLine
from echo3d.gui.theme import CHOICES, apply_theme
from echo3d.gui.toasts import Toasts
from echo3d.logs import Word, start_log
from echo3d.positioning.state import Workspace
from echo3d.session import Session, Stage
from echo3d.settings import save_settings

if TYPE_CHECKING:
    from echo3d.gui.command_palette import CommandPalette
    from echo3d.gui.log_window import LogWindow
    from echo3d.gui.window import MainWindow

_LOG = logging.getLogger(__name__)
HINTS = {
    "patient": "Drop a study anywhere to open it.  Space plays, double-click a view to enlarge it, F1 lists all keys.",
    "position": "Drag the arrows, the ring or the square to move, turn or size the heart; drag beside them to look round, wheel to zoom.  "
    "F1 lists all keys.",
    "training": "Choose several runs with Ctrl to lay their curves over each other; the wheel zooms into them.  F1 lists all keys.",
}
"""What the status line says of a workspace while nothing is pointed at."""
_THEMES = {f"theme_{choice}" for choice in CHOICES}
_NETWORKS = {f"network_{name}" for name in ("lean", "accurate")}


class Shell(QObject):
    """Does the commands that belong to no workspace.

    Parameters
    ----------
    window : the main window, built
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.log = start_log(on_file=False)
        self.status = StatusLine(window.statusBar(), Meter(lambda: window.engine.pid))
        self.toasts = Toasts(window)
        self._palette: CommandPalette | None = None
        self._log_window: LogWindow | None = None
        self._session = Session()
        self._greyings: list[Greying] = []
        self.status.command.connect(window.run_command)
        self.toasts.changed.connect(lambda notices: self.status.show_unseen(notices.unseen))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        window.position.shown.connect(self._show_workspace)
        window.position.side.pointed.connect(lambda _, text: self.status.point_at(text))

    def prepare_actions(self) -> None:
        """Give each action of the menus its sentence for the status line, and those of the theme a tick."""
        places = {command.name: command.place for command in COMMANDS}
        for action in self.actions_shown():
            name = action.objectName()
            method = getattr(self._window.owner_of(name, places.get(name, "")), name, None)
            action.setStatusTip((method.__doc__ or "").strip().split("\n")[0])
            action.setCheckable(name in _THEMES | _NETWORKS)
        self._tick_choices()
        add_networks_menu(self._window, lambda: self._window.settings.model, self.choose_network)
        self._greyings = [Greying(self._window, self.actions_shown())]

    def show_situation(self) -> None:
        """Grey what cannot be done now."""
        now = self._situation()
        for greying in self._greyings:
            greying.show(now)

    def _situation(self) -> Situation:
        window = self._window
        return situation_of(window.place, window.session, window.position.workspace, window.training.words())

    def grey(self, page: QWidget) -> None:
        """Grey the buttons of a page that was built after the window, too."""
        self._greyings.append(Greying(page, ()))

    def show_place(self, place: str) -> None:
        """Say what can be done in a workspace while nothing is pointed at."""
        self.status.show_hint(HINTS[place])
        self.show_situation()

    def actions_shown(self) -> list[QAction]:
        """Return the actions of the menus."""
        return [action for action in self._window.findChildren(QAction) if action.objectName()]

    # -- what is said and shown ----------------------------------------------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Show what runs; keep in the list what the bar over the page says went wrong."""
        old, self._session = self._session, session
        self.show_situation()
        busy = session.stage in (Stage.READING, Stage.COMPUTING)
        self.status.run({"study": f"{session.message}  {100 * session.share:.0f} %" if busy and session.message else ""})
        if session.stage is not old.stage:
            _LOG.info("the study is: %s", Word(session.stage.value))
        if session.error and session.error != old.error:
            _LOG.warning("an error was shown in the %s workspace", Word(self._window.place))
            self.toasts.say("error", session.error, shown=False)

    def _show_workspace(self, workspace: Workspace) -> None:
        self.status.run({"position": workspace.doing})
        self.show_situation()

    def notify(self, kind: str, sentence: str) -> None:
        """Say a sentence in the corner of the window; ``kind`` is "info", "done", "warning" or "error"."""
        self.toasts.say(kind, sentence)

    def show_notices(self) -> None:
        """Open the list of what was said."""
        from echo3d.gui.notice_list import show_notices

        show_notices(self._window, self.toasts)

    def toggle_load(self) -> None:
        """Show or hide what memory and processor the program takes."""
        self.status.toggle_load()

    # -- commands and keys ---------------------------------------------------------------------------------------------------------------

    def ran(self, name: str) -> None:
        """Log that a command was done."""
        _LOG.info("command %s", Word(name))

    def show_palette(self) -> None:
        """Open the command palette, or close it."""
        from echo3d.gui.command_palette import CommandPalette

        if self._palette is None:
            self._palette = CommandPalette(self._window, (*COMMANDS, *UNDO))
            self._palette.chosen.connect(self._window.run_command)
        self._palette.open_for(self._situation())

    def undo_last(self) -> None:
        """Take the last change back."""
        self._window.undo_group.undo()

    def redo_last(self) -> None:
        """Do the change again that was taken back."""
        self._window.undo_group.redo()

    def show_keys(self) -> None:
        """Open the sheet of keyboard shortcuts."""
        from echo3d.gui.key_sheet import show_keys

        show_keys(self._window, self._window.place)

    # -- theme and layout ----------------------------------------------------------------------------------------------------------------

    def theme_dark(self) -> None:
        """Show everything in dark colours."""
        self._choose_theme("dark")

    def theme_light(self) -> None:
        """Show everything in light colours."""
        self._choose_theme("light")

    def theme_system(self) -> None:
        """Show everything in dark or light colours, as the system does."""
        self._choose_theme("system")

    def _choose_theme(self, choice: str) -> None:
        window = self._window
        window.settings = window.settings.model_copy(update={"theme": choice})
        save_settings(window.settings)
        self._apply_theme(None)

    def _system_changed(self, scheme: Qt.ColorScheme) -> None:
        """Follow the system where that was chosen."""
        if self._window.settings.theme == "system":
            self._apply_theme(scheme)

    def _apply_theme(self, system: Qt.ColorScheme | None) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, self._window.settings.theme, system)
            retint_icons()
        self._tick_choices()

    def _tick_choices(self) -> None:
        """Tick the theme and the network that are chosen."""
        chosen = {f"theme_{self._window.settings.theme}", f"network_{self._window.settings.model}"}
        for action in self.actions_shown():
            if action.isCheckable():
                action.setChecked(action.objectName() in chosen)

    # -- network, screen -----------------------------------------------------------------------------------------------------------------

    def network_lean(self) -> None:
        """Compute hearts at once, by the network alone."""
        self.choose_network("lean")

    def network_accurate(self) -> None:
        """Compute hearts that are moved until they agree with the pictures."""
        self.choose_network("accurate")

    def choose_network(self, name: str) -> None:
        """Compute with other weights from now on, and what is open again."""
        window = self._window
        window.settings = window.settings.model_copy(update={"model": name})
        save_settings(window.settings)
        window.flow.choose_model(name)
        self._tick_choices()
        window.compute_again()

    def manage_networks(self) -> None:
        """List your own networks, and remove those that are not needed any more, after asking."""
        from echo3d.gui.networks_dialog import NetworksDialog

        NetworksDialog(self.choose_network, self._window).open()

    def full_screen(self) -> None:
        """Fill the screen, or not."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def reset_layout(self) -> None:
        """Give the window and all its parts their usual place and size."""
        reset_place(self._window)
        self._window.page.reset_layout()
        self._window.position.reset_layout()
        self._window.position.tabs.setCurrentIndex(0)
        self._window.training.reset_layout()
        self._window.jobs.reset_place()

    def save_screenshot(self) -> None:
        """Ask for a file and write a picture of the window into it."""
        name, _ = QFileDialog.getSaveFileName(self._window, "Save a picture of the window", "echo3d.png", "PNG (*.png)")
        if name and not self._window.grab().save(name):
            self.notify("error", "The picture could not be written; choose another folder.")

    # -- help ----------------------------------------------------------------------------------------------------------------------------

    def show_log(self) -> None:
        """Open the log."""
        from echo3d.gui.log_window import LogWindow

        if self._log_window is None:
            self._log_window = LogWindow(self.log, self._window)
        self._log_window.show()
        self._log_window.raise_()

    def report(self) -> str:
        """Return the system report."""
        from echo3d.gui.report import system_report

        return system_report(self._window.page.heart.heart.canvas.graphics, self._window.settings, self.log.lines())

    def show_report(self) -> None:
        """Open the system report, with what echo3d doctor says."""
        from echo3d.gui.report import show_report

        show_report(self._window, self.report())

    def copy_report(self) -> None:
        """Copy the system report."""
        QGuiApplication.clipboard().setText(self.report())
        self.notify("done", "The system report was copied; it holds no names, identifiers or paths.")

    def show_about(self) -> None:
        """Open the page on the program, with citations and licences."""
        from echo3d.gui.about import show_about

        show_about(self._window, self._window.tasks)

    def close_shell(self) -> None:
        """End the clocks; before the window goes."""
        QGuiApplication.styleHints().colorSchemeChanged.disconnect(self._system_changed)
        self.status.stop()
        self.toasts.close_all()
        if self._log_window is not None:
            self._log_window.close()
