"""The patient's page: what changes in the session is brought to the widgets, and time is kept."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from echo3d.anatomy.template import load_template
from echo3d.clinical.shown import strangers
from echo3d.core.images import EchoClip
from echo3d.core.result import StudyResult
from echo3d.core.views import View
from echo3d.gui.frames import FrameStore
from echo3d.gui.heart_frames import HeartFrames, Look
from echo3d.gui.heart_scene import facing
from echo3d.gui.heart_side import HeartSide
from echo3d.gui.overlays import OverlayStore, view_plane
from echo3d.gui.player import Moment, Player
from echo3d.gui.tasks import Tasks
from echo3d.gui.transport import TimeState
from echo3d.gui.view_panel import PanelState
from echo3d.gui.views_side import ViewsSide
from echo3d.gui.widgets import column
from echo3d.session import Session, Stage, visible

_CURVE_S = 0.06
"""Seconds between two movements of the curve's cursor; pyqtgraph paints its whole picture each time."""


class PatientPage(QWidget):
    """Shows a session; all wishes leave as commands.

    Parameters
    ----------
    tasks : threads that decode frames and make surfaces
    """

    command = Signal(str)

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.player = Player()
        self.views = ViewsSide()
        self.heart = HeartSide()
        self._session = Session()
        self._frames = FrameStore({})
        self._overlays: OverlayStore | None = None
        self._hearts: HeartFrames | None = None
        self._painted: dict[View, tuple[int, int]] = {}
        self._curve_at = 0.0
        self._heart_number = -1
        self.camera_wanted: Callable[[], None] | None = None
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.views)
        self.splitter.addWidget(self.heart)
        self.splitter.setHandleWidth(10)
        self.splitter.setChildrenCollapsible(False)
        self.reset_layout()
        self.setLayout(column(self.splitter, margins=(10, 8, 10, 10)))
        self._connect()

    def _connect(self) -> None:
        for part in (self.views, self.heart):
            part.command.connect(self.command)
        self.views.transport.sought.connect(self._seek_frame)
        self.views.curve.sought.connect(self._seek_beat)
        self.heart.results.phase_wanted.connect(lambda phase: self.command.emit(f"go_{phase}"))

    def reset_layout(self) -> None:
        """Give both sides their usual share of the width."""
        self.splitter.setSizes([930, 650])
        self.splitter.setStretchFactor(0, 58)
        self.splitter.setStretchFactor(1, 42)

    # -- the session ---------------------------------------------------------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Bring what changed to the widgets."""
        old, self._session = self._session, session
        if session.study is not old.study or session.result is not old.result:
            self._show_clips(session)
        if session.result is not old.result:
            self._show_result(session.result)
        if session.selected is not old.selected or session.study is not old.study:
            self.player.lead(session.selected, time.perf_counter())
        if (session.playing, session.speed) != (old.playing, old.speed) or session.study is not old.study:
            self.player.run(session.speed if session.playing else 0.0, time.perf_counter())
            self.heart.heart.show_playing(session.playing)
        if _looks_different(old, session):
            self._make_hearts(session, aim=_aims_elsewhere(old, session))
        self.views.show_session(session)
        self.heart.show_session(session)
        self.tick(all_panels=True)

    def _show_clips(self, session: Session) -> None:
        clips = _clips(session)
        self.player.load(clips, session.result)
        if clips.keys() != self._frames.clips.keys() or any(clips[v].frames is not self._frames.clips[v].frames for v in clips):
            self._frames.stopped = True
            frames = self._frames = FrameStore(clips)
            self._tasks.run(lambda: frames.fill(lambda: self._tasks.post(self._repaint)), _ignore, _ignore)

    def _show_result(self, result: StudyResult | None) -> None:
        self.views.curve.show_result(result)
        if self._overlays is not None:
            self._overlays.stopped = True
        self._overlays = None
        if result is None:
            self.heart.heart.clear()
            return
        overlays = self._overlays = OverlayStore(load_template(), result)
        self._tasks.run(lambda: overlays.fill(lambda: self._tasks.post(self._repaint)), _ignore, _ignore)

    def _make_hearts(self, session: Session, *, aim: bool) -> None:
        """Have the surfaces made in a new look; the old ones are shown until the first is ready."""
        if self._hearts is not None:
            self._hearts.stopped = True
        plane = view_plane(session.result, session.selected) if session.result is not None else None
        if session.result is None:
            self._hearts = None
            return
        shown = plane or next(iter(session.result.ed.planes.values()))
        front, up = facing(shown, as_echo=session.as_echo)
        look = Look(session.drawing, visible(session), shown, front)
        hearts = self._hearts = HeartFrames(load_template(), session.result, look, wanted=max(self._heart_number, 0))
        points = np.asarray(session.result.ed.points, float)

        def ready() -> None:
            if self._hearts is hearts:
                self.heart.heart.show_frames(hearts, fan=plane)
                self.heart.heart.show_number(hearts.wanted)
                if aim:
                    self.heart.heart.look_along(look, points, up)
                    wanted, self.camera_wanted = self.camera_wanted, None
                    if wanted is not None:
                        wanted()

        self._tasks.run(lambda: hearts.fill(lambda: self._tasks.post(ready)), _ignore, _ignore)

    # -- time ----------------------------------------------------------------------------------------------------------------------------

    def tick(self, *, all_panels: bool = False) -> None:
        """Show what belongs to the present moment."""
        now = time.perf_counter()
        moment = self.player.moment(now)
        self._show_panels(moment, all_panels)
        self._show_time(moment)
        self._heart_number = moment.number
        for store in (self._overlays, self._hearts):
            if store is not None:
                store.wanted = moment.number
        self.heart.heart.show_number(moment.number)
        if self._session.result is not None and (all_panels or now - self._curve_at > _CURVE_S):
            self._curve_at = now
            self.views.curve.show_time(moment.beat_ms)

    def _repaint(self) -> None:
        self.tick(all_panels=True)

    def _show_panels(self, moment: Moment, every: bool) -> None:
        session, frames = self._session, moment.frames or {}
        states = {}
        for view in View:
            key = (frames.get(view, -1), moment.number)
            if every or self._painted.get(view) != key:
                self._painted[view] = key
                states[view] = self._panel(session, view, moment)
        self.views.grid.show_states(states)

    def _panel(self, session: Session, view: View, moment: Moment) -> PanelState:
        clip, index = self._frames.clips.get(view), (moment.frames or {}).get(view, 0)
        if clip is None:
            return PanelState(hint=_panel_hint(session))
        result = session.result
        marks = {} if result is None else {result.es_frame.get(view): "ES", result.ed_frame.get(view): "ED"}
        return PanelState(
            clip=clip,
            crop=self._frames.crops.get(view),
            pixels=self._frames.frame(view, index),
            index=index,
            badge=marks.get(index, ""),
            overlay=self._overlays.overlay(view, moment.number) if self._overlays is not None else None,
            visible=visible(session),
            opacity=session.opacity if session.fill else 0.0,
            outlines=session.outlines,
            names=session.labels,
            selected=view is self.player.leading,
            strange=result is not None and view in strangers(result),
        )

    def _show_time(self, moment: Moment) -> None:
        lead, result = self.player.leading, self._session.result
        clip = self._frames.clips.get(lead)
        if clip is None:
            self.views.transport.show_time(TimeState())
            return
        state = TimeState(
            count=len(clip.frames),
            index=(moment.frames or {}).get(lead, 0),
            ed=result.ed_frame.get(lead) if result else None,
            es=result.es_frame.get(lead) if result else None,
            ms=moment.ms,
            rate=60000.0 / self.player.beat.beat_ms if self.player.beat is not None and len(self.player.beat.times_ms) > 1 else None,
        )
        correctable = self._session.stage in (Stage.DONE, Stage.FAILED) and result is not None and len(clip.frames) > 1
        self.views.transport.show_time(state, correctable=correctable)

    def leading_frame(self) -> int:
        """Return the frame of the leading clip that is shown."""
        return (self.player.moment(time.perf_counter()).frames or {}).get(self.player.leading, 0)

    def seek(self, ms: float) -> None:
        """Go to a time of the leading clip."""
        self.player.seek(ms, time.perf_counter())
        self.tick(all_panels=True)

    def step(self, frames: int) -> None:
        """Go some frames on in the leading clip."""
        if self.player.cycles:
            self.seek(self.player.frame_ms(self.leading_frame() + frames))

    def _seek_frame(self, index: int) -> None:
        self.command.emit("pause")
        self.seek(self.player.frame_ms(index))

    def _seek_beat(self, ms: float) -> None:
        self.command.emit("pause")
        self.seek(self.player.beat_to_lead(ms))

    def close_page(self) -> None:
        """Stop the threads' work and free OpenGL."""
        for store in (self._frames, self._overlays, self._hearts):
            if store is not None:
                store.stopped = True
        self.heart.heart.close_view()


def _clips(session: Session) -> dict[View, EchoClip]:
    """Return the clip shown for each view."""
    if session.result is not None:
        return session.result.clips
    return session.study.by_view() if session.study is not None else {}


def _panel_hint(session: Session) -> str:
    """Return what a panel without a clip says."""
    if session.stage is Stage.READING:
        return "Reading …"
    return "Drop a study here" if session.study is None else "No clip of this view\nDrop a file here to use it"


def _looks_different(old: Session, new: Session) -> bool:
    """Return whether the heart must be made anew."""
    same = new.result is old.result and new.drawing is old.drawing and new.hidden == old.hidden
    return not same or _aims_elsewhere(old, new)


def _aims_elsewhere(old: Session, new: Session) -> bool:
    """Return whether the camera must move."""
    return (old.result is None) != (new.result is None) or new.selected is not old.selected or new.as_echo is not old.as_echo


def _ignore(_: object) -> None:
    return None
