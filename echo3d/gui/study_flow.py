"""From dropped files to a heart: reading on a thread, computing in the inference process; answers that come too late are dropped."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.engine.client import EngineClient
from echo3d.engine.codec import decode_result
from echo3d.engine.protocol import Message
from echo3d.errors import InputError
from echo3d.gui.tasks import Tasks
from echo3d.paths import resource
from echo3d.session import Session, computed, failed, progressed, read

Change = Callable[[Session], Session]


class StudyFlow:
    """Carries a session through reading and computing.

    Parameters
    ----------
    tasks : threads of the window
    engine : the inference process
    dispatch : applies a change to the window's session
    model, device : what the networks run with
    """

    def __init__(self, tasks: Tasks, engine: EngineClient, dispatch: Callable[[Change], None], *, model: str, device: str) -> None:
        self._tasks = tasks
        self._engine = engine
        self._dispatch = dispatch
        self._with = {"model": model, "device": device}
        self._export: Future[Message] | None = None

    def warm(self) -> None:
        """Wake the network before it is needed; what goes wrong is said with the first study."""
        self._engine.request("warm", self._with)

    def choose_model(self, name: str) -> None:
        """Compute with these weights from now on."""
        self._with = self._with | {"model": name}

    def read(self, session: Session) -> None:
        """Read the session's files, then compute."""
        self._tasks.run(
            partial(load, session),
            lambda study: self._was_read(session.ticket, study),
            lambda sentence: self._change(session.ticket, lambda now: failed(now, sentence)),
        )

    def _was_read(self, ticket: int, study: PatientStudy) -> None:
        self._change(ticket, lambda now: read(now, study), then=self.compute)

    def compute(self, session: Session) -> None:
        """Ask the inference process for the heart of the session's study."""
        body: dict[str, Any] = {
            **self._with,
            "paths": [str(path) for path in session.paths],
            "views": {view.key: str(path) for view, path in session.views.items()},
            "ed": _by_key(session.ed),
            "es": _by_key(session.es),
        }
        ticket, study = session.ticket, session.study
        future = self._engine.request("reconstruct", body, progress=partial(self._progress, ticket))
        self._tasks.bring(
            future,
            lambda message: self._was_computed(ticket, message, study),
            lambda sentence: self._change(ticket, lambda now: failed(now, sentence)),
        )

    def _was_computed(self, ticket: int, message: Message, study: PatientStudy | None) -> None:
        if study is not None:
            result = decode_result(message, study)
            self._change(ticket, lambda now: computed(now, result))

    def _progress(self, ticket: int, share: float, sentence: str, /) -> None:
        """Bring progress from the reading thread to the Qt thread."""
        self._tasks.post(lambda: self._change(ticket, lambda now: progressed(now, share, sentence)))

    def _change(self, ticket: int, change: Change, then: Callable[[Session], None] | None = None) -> None:
        """Apply a change if the session still waits for this ticket."""

        def guarded(now: Session) -> Session:
            return change(now) if now.ticket == ticket else now

        self._dispatch(guarded if then is None else partial(_followed, guarded, then, ticket))

    def export(self, out: Path, done: Callable[[], None], wrong: Callable[[str], None]) -> None:
        """Have the newest result written into a folder."""
        self._export = self._engine.request("export", {"out": str(out)})
        self._tasks.bring(self._export, lambda _: done(), wrong)

    @property
    def exporting(self) -> bool:
        """Whether a result folder is being written."""
        return self._export is not None and not self._export.done()


def _followed(change: Change, then: Callable[[Session], None], ticket: int, now: Session) -> Session:
    changed = change(now)
    if changed.ticket == ticket:
        then(changed)
    return changed


def load(session: Session) -> PatientStudy:
    """Read the study of a session; runs on a thread."""
    from echo3d.io.studies import load_study

    return load_study(session.paths, views=session.views, ed=session.ed, es=session.es)


def _by_key(frames: dict[View, int]) -> dict[str, int]:
    return {view.key: frame for view, frame in frames.items()}


def is_demo(session: Session) -> bool:
    """Return whether the open study is the embedded one."""
    try:
        return session.paths == (resource("demo"),)
    except InputError:
        return False
