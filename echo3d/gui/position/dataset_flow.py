"""From the workspace to a data set: the dialog opens with what is shown, and what it asks for is started as a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from echo3d.dataset.order import KIND, job_spec
from echo3d.gui.position.dataset_dialog import DatasetDialog
from echo3d.gui.position.page import PositionPage
from echo3d.gui.position.remembering import Remembering
from echo3d.gui.tasks import Tasks
from echo3d.jobs.launcher import start
from echo3d.jobs.registry import list_jobs
from echo3d.paths import user_documents, user_jobs
from echo3d.positioning.order_start import body_word, left_out, order_of, pose_ranges, probe_ranges
from echo3d.positioning.orders import Checked
from echo3d.positioning.state import Workspace


class DatasetFlow(QObject):
    """Opens the dialog and starts what it asks for.

    Parameters
    ----------
    page : the workspace
    tasks : threads of the window
    recents : knows where the heart of the workspace comes from
    """

    def __init__(self, page: PositionPage, tasks: Tasks, recents: Remembering) -> None:
        super().__init__(page)
        self._page, self._tasks, self._recents = page, tasks, recents
        self.dialog: DatasetDialog | None = None

    def _workspace(self) -> Workspace:
        """Return the workspace to start from: probes that no hand moved, only a search for windows in its body, stand on the table."""
        workspace = self._page.workspace
        if not self._page.arrivals.searched:
            return workspace
        scene = workspace.scene
        return replace(workspace, scene=replace(scene, placement=replace(scene.placement, probes={})))

    def open(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            recent = self._recents.heart
            order = order_of(self._workspace(), path="" if recent is None else recent.path)
            body = self._page.workspace.scene.body
            bodies = () if body is None else ((f"In the scene: {body.name}", body_word(body)),)
            self.dialog = dialog = DatasetDialog(order, self._recents.known_hearts(), self._page, bodies=bodies)
            dialog.say_left_out(left_out(self._page.workspace.scene.placement))
            dialog.taken.connect(self._take)
            dialog.start_wanted.connect(self._start)
            dialog.finished.connect(lambda _: setattr(self, "dialog", None))
            self._tasks.run(lambda: proposed(user_jobs()), self._propose, lambda _: None)
        self.dialog.show()
        self.dialog.raise_()

    def _propose(self, out: Any) -> None:
        if self.dialog is not None:
            self.dialog.propose(out)

    def _take(self) -> None:
        """Take pose and probes from the workspace again."""
        placement = self._page.workspace.scene.placement
        if self.dialog is not None:
            self.dialog.change(pose=pose_ranges(placement), probe=probe_ranges(placement))
            self.dialog.say_left_out(left_out(placement))

    def _start(self, found: Checked) -> None:
        spec = found.spec
        if spec is not None:
            work = job_spec(spec, found.out, workers=found.workers)
            self._tasks.run(lambda: start(user_jobs(), work), self._started, self._failed)

    def _started(self, folder: Path) -> None:
        if self.dialog is not None:
            self.dialog.accept()
        self._page.said_softly.emit("The data set is being made; it goes on when this window is closed.")
        self._page.job_started.emit(folder.name)

    def _failed(self, sentence: str) -> None:
        if self.dialog is not None:
            self.dialog.failed(sentence)


def proposed(jobs: Path) -> str:
    """Return a new folder's name beside the data set that was asked for last, in the user's documents where there was none."""
    specs = [status.spec for status in list_jobs(jobs) if status.spec is not None and status.spec.kind == KIND]
    outs = [out for spec in specs if isinstance(out := spec.arguments.get("out"), str) and out]
    parent = Path(outs[-1]).parent if outs else user_documents()
    number = next(number for number in range(1, 100_000) if not (parent / f"heart-set-{number}").exists())
    return str(parent / f"heart-set-{number}")
