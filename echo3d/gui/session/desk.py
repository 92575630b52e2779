"""The session of a window: new, open, save, what is unsaved, what a crash left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QMessageBox

from echo3d.gui.header import NOTICE
from echo3d.gui.session.asking import ask_open, ask_save, ask_unsaved
from echo3d.gui.session.autosave import Autosave, Job
from echo3d.gui.session.bar import RecoveryBar
from echo3d.gui.session.cameras import cameras_of
from echo3d.gui.session.menu import add_recent_menu
from echo3d.gui.session.restoring import Restoring
from echo3d.gui.tasks import Tasks
from echo3d.saved import recovery
from echo3d.saved.capture import Snapshot, content_of
from echo3d.saved.changes import substance
from echo3d.saved.content import Content
from echo3d.saved.files import Digests
from echo3d.saved.recovery import Orphan, Recovered
from echo3d.saved.store import SUFFIX, read_session, write_session
from echo3d.settings import save_settings, with_recent_session

if TYPE_CHECKING:
    from echo3d.gui.window import MainWindow

Then = Callable[[], None]


class SessionDesk(QObject):
    """Holds the session's file and knows whether it is up to date; its methods are commands.

    Parameters
    ----------
    window : whose states are saved and restored
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.path: Path | None = None
        self.digests = Digests()
        self.bar = RecoveryBar()
        self._tasks = Tasks(self, threads=1)
        self._forced = self._leaving = self._closed = False
        self._clean: object = None
        self._asked: QMessageBox | None = None
        self._orphans: list[Orphan] = []
        self.restoring = Restoring(window, self._tasks, self.digests, self)
        self.restoring.done.connect(self._restored)
        self._autosave = Autosave(self._tasks, self._unsaved, self._job, self.complain, self)

    def connect_window(self) -> None:
        """Listen to the window, once it is built."""
        position = self._window.position
        position.shown.connect(lambda _: self.noticed())
        position.undo.cleanChanged.connect(lambda _: self.noticed())
        self.bar.recover_wanted.connect(lambda orphan: self.ask_then(lambda: self.recover(orphan)))
        self.bar.discard_wanted.connect(self._discard)
        self.bar.later_wanted.connect(lambda: self._offer([]))
        self.recent = add_recent_menu(self._window, lambda: self._window.settings.recent_sessions, self.open_path)
        self._clean = self._substance()
        self.noticed()

    # -- what is unsaved -------------------------------------------------------------------------------------------------------------------

    @property
    def modified(self) -> bool:
        """Whether there is work that is in no session's file."""
        if self.restoring.busy:
            return self._forced
        return self._forced or not self._window.position.undo.isClean() or self._substance() != self._clean

    def _substance(self) -> object:
        return substance(self._window.session, self._window.position.workspace, titled=self.path is not None)

    def noticed(self) -> None:
        """Show in the title whether there is something to be saved."""
        if self._closed:  # a stack of undo still speaks while it is deleted with the window
            return
        self.restoring.noticed()
        name = "echo3d[*]" if self.path is None else f"{self.path.stem}[*] – echo3d"
        title = f"{name} – {NOTICE}"
        if title != self._window.windowTitle():
            self._window.setWindowTitle(title)
        if self.modified != self._window.isWindowModified():
            self._window.setWindowModified(self.modified)

    def _unsaved(self) -> object:
        """Return what changes with unsaved work, None without."""
        if not self.modified or self.restoring.busy:
            return None if not self.restoring.busy else "restoring"
        position = self._window.position
        return substance(self._window.session, position.workspace, titled=True), position.workspace.scene, self.path

    def complain(self, *sentences: str) -> None:
        """Show what went wrong."""
        self.restoring.complain(*sentences)

    # -- commands --------------------------------------------------------------------------------------------------------------------------

    def new_session(self) -> None:
        """Start anew."""
        self.ask_then(lambda: self._restore(Content(), Path(), None))

    def open_session(self) -> None:
        """Ask for a session and open it."""
        path = ask_open(self._window)
        if path is not None:
            self.open_path(path)

    def open_path(self, path: Path) -> None:
        """Open a session's file, after unsaved work is dealt with."""
        self.ask_then(lambda: self._tasks.run(lambda: read_session(path), lambda found: self._read(path, *found), self.complain))

    def _read(self, path: Path, content: Content, problems: tuple[str, ...]) -> None:
        """Restore a session; a damaged file is not the one that is saved into."""
        self._restore(content, path.parent, None if problems else path.absolute())
        self.complain(*problems)
        if not problems:
            self._remember(path.absolute())

    def save_session(self) -> None:
        """Save the session, where it has no file yet after asking for one."""
        self._save(lambda: None)

    def save_session_as(self) -> None:
        """Ask for a file and save the session into it."""
        path = ask_save(self._window, self._name())
        if path is not None:
            self.save_to(path)

    def _name(self) -> str:
        return f"session{SUFFIX}" if self.path is None else str(self.path)

    def _save(self, then: Then) -> None:
        path = self.path if self.path is not None else ask_save(self._window, self._name())
        if path is not None:
            self.save_to(path, then)

    def save_to(self, path: Path, then: Then = lambda: None) -> None:
        """Write the session into a file, then do ``then``; work done meanwhile counts as unsaved."""
        if self.restoring.busy:
            self._window.say("The session is still being opened; save it when that is done.")
            return
        path, snapshot, position = path.absolute(), self.snapshot(), self._window.position
        clean = substance(snapshot.session, snapshot.workspace, titled=True)
        position.undo.setClean()

        def write() -> None:
            write_session(path, content_of(snapshot, path.parent, self.digests.of))

        def wrong(sentence: str) -> None:
            position.undo.resetClean()
            self.complain(sentence)
            self.noticed()

        self._window.say("Saving the session …")
        self._tasks.run(write, lambda _: self._saved(path, clean, then), wrong)

    def _saved(self, path: Path, clean: object, then: Then) -> None:
        self.path, self._clean, self._forced = path, clean, False
        self._remember(path)
        self._window.say(f"The session was saved as {path.name}.")
        self.noticed()
        self._autosave.check()
        then()

    def _remember(self, path: Path) -> None:
        self._window.settings = with_recent_session(self._window.settings, str(path))
        save_settings(self._window.settings)

    def snapshot(self) -> Snapshot:
        """Return what the window shows."""
        window = self._window
        return Snapshot(window.place, window.session, window.position.workspace, cameras_of(window), self.restoring.lost)

    # -- restoring -------------------------------------------------------------------------------------------------------------------------

    def _restore(self, content: Content, base: Path, path: Path | None, *, forced: bool = False) -> None:
        self.path, self._forced = path, forced
        self.restoring.start(content, base)
        self.noticed()

    def _restored(self) -> None:
        self._clean = self._substance()
        self.noticed()

    # -- unsaved work ----------------------------------------------------------------------------------------------------------------------

    def ask_then(self, go_on: Then) -> None:
        """Do something that would lose unsaved work, after asking about it."""
        if not self.modified:
            go_on()
        elif self._asked is None:
            name = "this session" if self.path is None else self.path.name
            self._asked = ask_unsaved(self._window, name, lambda: self._save(go_on), go_on)
            self._asked.finished.connect(lambda _: self._answered())

    def _answered(self) -> None:
        self._asked = None

    def may_close(self) -> bool:
        """Return whether the window may close now; else the user is asked, and it closes by itself where the answer says so."""
        if self._leaving or not self.modified:
            return True
        self.ask_then(self._leave)
        return False

    def _leave(self) -> None:
        self._leaving = True
        QTimer.singleShot(0, self._window, self._window.close)

    # -- autosave and recovery -------------------------------------------------------------------------------------------------------------

    def _job(self) -> Job | None:
        if self.restoring.busy or self._window.position.stage.viewport.holding:
            return None
        return self.snapshot(), self.path, self.digests.known

    def offer_recovery(self) -> None:
        """Offer what crashes left."""
        self._tasks.run(recovery.orphans, self._offer, self.complain)

    def _offer(self, orphans: list[Orphan]) -> None:
        self._orphans = orphans
        self.bar.show_orphans(orphans)

    def _discard(self, orphan: Orphan) -> None:
        recovery.discard(orphan.file)
        self._offer([other for other in self._orphans if other is not orphan])

    def recover(self, orphan: Orphan) -> None:
        """Open an autosaved session."""
        self._tasks.run(lambda: self._claimed(orphan), lambda found: self._use(orphan, found), self.complain)

    def _claimed(self, orphan: Orphan) -> Recovered:
        """Return an autosaved session after making it this window's; a damaged one stays where it is."""
        found = recovery.recovered(orphan)
        recovery.claim(orphan, self._autosave.file)
        return found

    def _use(self, orphan: Orphan, found: Recovered) -> None:
        self._offer([other for other in self._orphans if other is not orphan])
        self._autosave.claimed()
        self._restore(found.content, orphan.file.parent, None if found.problems else found.document, forced=True)
        self.complain(*found.problems)

    def close(self) -> None:
        """End the thread and the timer; nothing is left to be recovered."""
        self._closed = self.digests.stopped = True
        self._tasks.close()
        self._autosave.close()
