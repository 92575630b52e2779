"""The strip at the top: opening and exporting, what study is open, progress and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QProgressBar, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from echo3d.gui.commands import PLACES
from echo3d.gui.widgets import Sign, button, for_command, for_window, label, row, rule, text_button
from echo3d.session import Session, Stage

NOTICE = "RESEARCH USE – NOT FOR CLINICAL DIAGNOSIS"
_PLACE_TIPS = {
    "patient": "A patient's echo study becomes a heart (Ctrl+1)",
    "position": "A heart is put into a body and seen by six probes (Ctrl+2)",
    "training": "Networks are trained, watched and put to use (Ctrl+3)",
}


_IN = ("open_heart", "open_cohort", "use_template", "", "open_body", "no_body")
_OUT = ("save_views", "save_mesh", "save_scene", "save_film")
"""Commands of the scene's two menus; an empty name is a line."""


class Header(QWidget):
    """Shows the study, how far it is, and what went wrong."""

    command = Signal(str)
    recent_wanted = Signal(str)
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", "title")
        self._facts = label("", "muted")
        self._doing = label("", "muted")
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._export = text_button(
            "Export", "Write the result folder (Ctrl+E)", lambda: self.command.emit("export_result"), picture="export"
        )
        self._open = self._open_button()
        self._error = QLabel()
        self._error_bar = self._make_error_bar()
        pill = label(NOTICE, "pill")
        mark, name = Sign("heart", "brand", 22), label("echo3d", "brand")
        strip = QFrame()
        strip.setObjectName("header")
        self._places = {place: self._place(place) for place in PLACES}
        switch = row(*self._places.values(), spacing=2)
        self._rules = (rule(), rule())
        study = (self._open, self._rules[1], self._title, self._facts)
        self._scene_open, self._scene_save = self._scene_buttons()
        tip = "Generate pictures of many hearts with their truth, in the background (Ctrl+G)"
        self._dataset = text_button("Data set…", tip, lambda: self.command.emit("generate_dataset"), picture="layers")
        self._scene = (self._scene_open, for_command(self._dataset, "generate_dataset"), self._scene_save)
        parts = (mark, name, rule(), switch, self._rules[0], *study, *self._scene[:1], 1, self._doing, self._export, *self._scene[1:], pill)
        strip.setLayout(row(*parts, margins=(14, 8, 14, 8), spacing=10))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (strip, self._bar, self._error_bar):
            layout.addWidget(part)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _place(self, place: str) -> QToolButton:
        made = text_button(place.capitalize(), _PLACE_TIPS[place], lambda: self.command.emit(f"show_{place}"))
        made.setCheckable(True)
        return made

    def show_place(self, place: str) -> None:
        """Show which workspace is open; what belongs to a patient's study is hidden in the other."""
        for name, choice in self._places.items():
            choice.setChecked(name == place)
        for part in (self._rules[1], self._open, self._title, self._facts, self._export, self._doing, self._bar):
            part.setVisible(place == "patient")
        for part in self._scene:
            part.setVisible(place == "position")

    def _scene_buttons(self) -> tuple[QToolButton, QToolButton]:
        """Return the buttons whose menus bring hearts and bodies in and files out."""
        made = text_button("Open", "Put a heart or a body into the scene", lambda: None, kind="primary", picture="open")
        out = text_button("Save", "Save views, heart, picture or film of the scene", lambda: None, picture="export")
        for one in (made, out):
            one.setMenu(QMenu(one))
            one.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return made, out

    def fill_menus(self, actions: Mapping[str, QAction]) -> None:
        """Give the menus of the scene's buttons the actions of the menu bar, so that they are grey where those are."""
        for made, names in ((self._scene_open, _IN), (self._scene_save, _OUT)):
            menu = made.menu()
            menu.setToolTipsVisible(True)
            for name in names:
                menu.addAction(actions[name]) if name else menu.addSeparator()

    def _open_button(self) -> QToolButton:
        made = text_button("Open", "Open a study: files, a folder or a zip (Ctrl+O)", lambda: None, kind="primary", picture="open")
        self._menu = QMenu(made)
        made.setMenu(self._menu)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return made

    def _make_error_bar(self) -> QFrame:
        sign = Sign("warning", "error")
        self._error.setWordWrap(True)
        self._error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        bar = QFrame()
        bar.setObjectName("error")
        copy = text_button("Copy", "Copy this sentence", lambda: QGuiApplication.clipboard().setText(self._error.text()))
        line = row(sign, self._error, copy, button("close", "Dismiss", self.dismissed.emit), margins=(14, 6, 10, 6), spacing=10)
        line.setStretch(1, 1)
        bar.setLayout(line)
        return bar

    def show_recent(self, recent: Sequence[str]) -> None:
        """Fill the menu of the Open button; studies that are gone are grey."""
        self._menu.clear()
        for title, name in (("Files…", "open_files"), ("Folder…", "open_folder"), ("Demo patient", "open_demo")):
            self._menu.addAction(title).triggered.connect(lambda _=False, chosen=name: self.command.emit(chosen))
        if recent:
            self._menu.addSeparator()
            self._menu.addSection("Recent")
        for path in recent:
            there = Path(path).exists()
            action = self._menu.addAction(Path(path).name + ("" if there else "  (missing)"))
            action.setEnabled(there)
            action.triggered.connect(lambda _=False, chosen=path: self.recent_wanted.emit(chosen))

    def show_session(self, session: Session, *, demo: bool) -> None:
        """Show the study, the progress and the error as the session has them."""
        self._title.setText("" if session.study is None else "Demo patient" if demo else f"Study {session.study.pseudonym}")
        self._facts.setText(_facts(session, demo=demo))
        busy = session.stage in (Stage.READING, Stage.COMPUTING)
        self._doing.setText(session.message if busy else "")
        self._bar.setValue(round(1000 * session.share) if busy else 0)
        self._export.setEnabled(session.stage is Stage.DONE and session.result is not None)
        self._error.setText(for_window(session.error))
        self._error_bar.setVisible(bool(session.error))


def _facts(session: Session, *, demo: bool) -> str:
    """Return a few words on the clips."""
    if session.study is None:
        return ""
    count, views = len(session.study.clips), len(session.result.clips if session.result else session.study.by_view())
    words = [f"{count} clip{'s' if count != 1 else ''}", f"{views} of 6 views"]
    return " · ".join([*words, "synthetic"] if demo else words)
