"""What a session says comes back into both workspaces: found and made on threads, shown when it is ready."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from echo3d.gui.position import presets
from echo3d.gui.position.actors import body_surfaces
from echo3d.gui.position.loading import FIRST_BODY
from echo3d.gui.session.cameras import look_patient, look_position
from echo3d.gui.tasks import Tasks
from echo3d.saved.capture import Lost, outcome_of
from echo3d.saved.changes import surprise
from echo3d.saved.content import Content, Outcome, OwnBody, SavedStudy, TemplateHeart
from echo3d.saved.files import Digests
from echo3d.saved.restore import FoundScene, FoundStudy, find_scene, find_study, looked_at, workspace_of
from echo3d.session import Session, opening

if TYPE_CHECKING:
    from echo3d.gui.window import MainWindow


class Restoring(QObject):
    """Brings a session into the window; of several the newest wins.

    Parameters
    ----------
    window : both workspaces
    tasks : the thread that looks for files
    digests : hashes of files
    """

    done = Signal()

    def __init__(self, window: MainWindow, tasks: Tasks, digests: Digests, parent: QObject) -> None:
        super().__init__(parent)
        self._window, self._tasks, self._digests = window, tasks, digests
        self._ticket = self._open = 0
        self._expected: tuple[int, Outcome] | None = None
        self.lost = Lost()

    @property
    def busy(self) -> bool:
        """Whether some of a session is still on its way."""
        return self._open > 0

    def start(self, content: Content, base: Path) -> None:
        """Restore a session.

        Parameters
        ----------
        content : what its file says
        base : folder of its file
        """
        window = self._window
        self._ticket += 1
        self._open, self._expected = 1, None
        self.lost = Lost(base=base)
        window.dispatch(lambda session: replace(session, error=""))
        study = content.study if content.study is not None else SavedStudy()
        self._run(self._tasks, partial(find_study, study, base, self._digests), partial(self._put_study, content))
        if content.positioned or window.position.loading.started:
            self._open += 1
            window.position.loading.skip()
            window.position.look_at(doing="Opening the session …")
            self._run(window.tasks, partial(_made, content, base, self._digests), partial(self._put_scene, content))
        getattr(window, f"show_{content.place}")()

    def _run(self, tasks: Tasks, work: Any, use: Any) -> None:
        """Do a part of the work; a part of an older session is dropped."""
        ticket = self._ticket

        def done(made: Any) -> None:
            if ticket == self._ticket:
                use(made)
                self._part_done()

        def wrong(sentence: str) -> None:
            if ticket == self._ticket:
                self._window.position.look_at(doing="")
                self.complain(sentence)
                self._part_done()

        tasks.run(work, done, wrong)

    def _part_done(self) -> None:
        self._open -= 1
        if not self._open:
            self.done.emit()

    # -- the patient's workspace -----------------------------------------------------------------------------------------------------------

    def _put_study(self, content: Content, found: FoundStudy) -> None:
        window, there = self._window, bool(found.paths or found.views)
        window.undo.clear()

        def restored(session: Session) -> Session:
            fresh = opening(session, found.paths, found.views) if there else replace(Session(), ticket=session.ticket + 1)
            return replace(looked_at(fresh, content.study_look), ed=dict(found.ed), es=dict(found.es), error=session.error)

        window.dispatch(restored)
        self.lost = replace(self.lost, study=window.session.paths, paths=found.lost_paths, views=found.lost_views)
        window.page.camera_wanted = None
        camera = content.cameras.get("patient")
        if camera is not None and there:
            window.page.camera_wanted = partial(look_patient, window.page.heart.heart, camera)
        if content.study is not None and content.study.outcome is not None and not found.problems:
            self._expected = window.session.ticket, content.study.outcome
        self._tell(found.problems, found.notes)
        if there:
            window.flow.read(window.session)

    def noticed(self) -> None:
        """Say once where the study's heart has other numbers than when it was saved."""
        outcome = outcome_of(self._window.session)
        if self._expected is not None and outcome is not None:
            (ticket, before), self._expected = self._expected, None
            sentence = surprise(before, outcome) if ticket == self._window.session.ticket else ""
            if sentence:
                self.complain(sentence)

    # -- the positioning workspace ---------------------------------------------------------------------------------------------------------

    def _put_scene(self, content: Content, made: tuple[FoundScene, Any]) -> None:
        (found, surfaces), page = made, self._window.position
        if found.scene.body is not None:
            page.stage.viewport.scene.know_body(found.scene.body, surfaces)
        page.dispatch(lambda _: workspace_of(found.scene, content.scene_look), settled=True)
        page.undo.clear()
        self.lost = replace(
            self.lost,
            stand_in=found.scene.heart if found.lost_heart is not None else None,
            heart=found.lost_heart,
            body=found.lost_body,
        )
        camera = content.cameras.get("position")
        if camera is not None:
            look_position(page.stage.viewport, camera)
        else:
            page.look_from(presets.side("front"), smooth=False)
        if content.scene_look.moment:
            page.look_at(moment=content.scene_look.moment)
        self._tell(found.problems, found.notes)

    # -- words -----------------------------------------------------------------------------------------------------------------------------

    def _tell(self, problems: tuple[str, ...], notes: tuple[str, ...]) -> None:
        self.complain(*problems)
        if notes:
            self._window.say(" ".join(notes))

    def complain(self, *sentences: str) -> None:
        """Show sentences, below those that are shown already."""
        if sentences:
            self._window.dispatch(lambda session: replace(session, error=joined(session.error, *sentences)))


def _made(content: Content, base: Path, digests: Digests) -> tuple[FoundScene, Any]:
    """Return the scene of a session, ready to be drawn; one that was never opened is as it is at first. Runs on a thread."""
    if not content.positioned:
        sex, height_cm, weight_kg = FIRST_BODY
        body = OwnBody.model_validate({"sex": sex, "height_cm": height_cm, "weight_kg": weight_kg})
        content = replace(content, heart=TemplateHeart(), body=body)
    found = find_scene(content, base, digests)
    return found, None if found.scene.body is None else body_surfaces(found.scene.body.mesh)


def joined(*sentences: str) -> str:
    """Return sentences as one text.

    >>> joined("", "one is wrong", "two is wrong.")
    'One is wrong. Two is wrong.'
    >>> joined("", "one is wrong")
    'one is wrong'
    """
    said = [sentence for sentence in sentences if sentence]
    if len(said) < 2:
        return "".join(said)
    return " ".join(f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}." for sentence in said)
