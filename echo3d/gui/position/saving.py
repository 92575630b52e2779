"""Files out of the workspace: views, placed mesh, picture of the scene, film of the beat; asked for, then made on a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from echo3d.gui.position.page import PositionPage
from echo3d.gui.tasks import Tasks
from echo3d.io.meshes import WRITABLE, export_mesh
from echo3d.positioning.outputs import Shot, placed_heart, write_film, write_views

MESHES = ";;".join(f"{suffix[1:].upper()} (*{suffix})" for suffix in WRITABLE)


class Saving(QObject):
    """Writes what the workspace shows.

    Parameters
    ----------
    page : the workspace
    tasks : threads of the window
    """

    def __init__(self, page: PositionPage, tasks: Tasks) -> None:
        super().__init__(page)
        self._page = page
        self._tasks = tasks
        self._frames: list[NDArray[np.uint8]] = []

    def shot(self) -> Shot | None:
        """Return what is shown now; None without a heart."""
        page = self._page
        if page.workspace.scene.heart is None or page.beat is None:
            page.said.emit("there is nothing to save without a heart; open or draw one first")
            return None
        moment = page.beat.nearest(page.workspace.moment)
        return Shot(page.workspace.scene, moment, page.workspace.moment, page.workspace.picture)

    def _run(self, work: Callable[[], object], done: str) -> None:
        self._tasks.run(work, lambda _: self._page.said_softly.emit(done), self._page.said.emit)

    def views(self, out: Path) -> None:
        """Write the six views into a folder."""
        shot = self.shot()
        if shot is not None:
            self._run(
                lambda: write_views(shot, out, force=True, restyle=self._page.restyler), f"The six views were written into {out.name}."
            )

    def mesh(self, path: Path) -> None:
        """Write the placed heart."""
        shot = self.shot()
        if shot is not None:
            self._run(lambda: export_mesh(path, placed_heart(shot.scene, shot.moment)), f"The placed heart was written as {path.name}.")

    def picture(self, path: Path) -> None:
        """Write a picture of the scene with its scale."""
        from echo3d.io.images import write_png

        pixels = self.scene_pixels()
        self._run(lambda: write_png(path, pixels), f"The scene was saved as {path.name}.")

    def scene_pixels(self) -> NDArray[np.uint8]:
        """Return the scene with all that is painted over it as (H, W, 3)."""
        self._page.stage.viewport.canvas.draw_now()
        image = self._page.stage.viewport.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def film(self, path: Path) -> None:
        """Film one beat: every moment is shown and taken in turn, then written."""
        page = self._page
        if page.beat is None or len(page.beat) < 2:
            page.said.emit("a film needs a heart that beats, found one that stands still; use the template or draw a heart")
            return
        page.fill_beat()
        self._frames = []
        page.look_at(playing=False, doing="Filming the beat …")
        QTimer.singleShot(0, self, lambda: self._take(path))

    def _take(self, path: Path) -> None:
        """Take the next moment's picture, or wait until it is made."""
        page, number = self._page, len(self._frames)
        if page.beat is None or not page.isVisible():
            return
        if number == len(page.beat):
            page.look_at(doing="", moment=0)
            frames, frame_ms = list(self._frames), page.moment_ms()
            self._run(lambda: write_film(path, frames, frame_ms), f"The beat was saved as {path.name}.")
            return
        page.beat.wanted = number
        if page.beat.moment(number) is not None:
            page.look_at(moment=number)
            self._frames.append(self.scene_pixels())
        QTimer.singleShot(0 if page.beat.moment(number) is not None else 100, self, lambda: self._take(path))

    # -- asking for the name -------------------------------------------------------------------------------------------------------------

    def ask_views(self) -> None:
        """Ask for a folder and write the six views into it."""
        self._ask("Name of the folder for the six views", "echo3d-views", "", self.views)

    def ask_mesh(self) -> None:
        """Ask for a file and write the placed heart into it."""
        self._ask("Save the placed heart", "heart.vtp", MESHES, self.mesh)

    def ask_picture(self) -> None:
        """Ask for a file and write a picture of the scene into it."""
        self._ask("Save a picture of the scene", "scene.png", "PNG (*.png)", self.picture)

    def ask_film(self) -> None:
        """Ask for a file and write the beat into it."""
        self._ask("Save the beat as a film", "beat.gif", "GIF (*.gif);;MP4 (*.mp4)", self.film)

    def _ask(self, title: str, name: str, filters: str, write: Callable[[Path], None]) -> None:
        chosen, kind = QFileDialog.getSaveFileName(self._page, title, name, filters)
        if chosen:
            write(suffixed(Path(chosen), kind, name))


def suffixed(path: Path, kind: str, proposed: str) -> Path:
    """Return a chosen file with the suffix of the kind that was chosen, where its name has none or still the one that was proposed.

    >>> suffixed(Path("beat.gif"), "MP4 (*.mp4)", "beat.gif").name, suffixed(Path("a.gif"), "GIF (*.gif)", "beat.gif").name
    ('beat.mp4', 'a.gif')
    """
    wanted = kind.partition("(*")[2].rstrip(")")
    return path.with_suffix(wanted) if wanted.startswith(".") and path.suffix in ("", Path(proposed).suffix) else path
