"""The page of the positioning workspace: what changes in its state is brought to the widgets and to the live pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QUndoStack
from PySide6.QtWidgets import QScrollArea, QSplitter, QTabWidget, QWidget

from echo3d.anatomy.timing import PHASES
from echo3d.core.pose import Pose
from echo3d.core.views import View
from echo3d.gui.canvas import Canvas
from echo3d.gui.position import presets
from echo3d.gui.position.actors import smoother
from echo3d.gui.position.arrivals import Arrivals
from echo3d.gui.position.changes import moves, pictures_differ
from echo3d.gui.position.loading import Loading
from echo3d.gui.position.loop import PreviewLoop
from echo3d.gui.position.nudge import nudge_of
from echo3d.gui.position.pose_panel import PosePanel
from echo3d.gui.position.previews_side import PreviewsSide
from echo3d.gui.position.restyler import Restyler
from echo3d.gui.position.show_panel import ShowPanel
from echo3d.gui.position.sources_panel import SourcesPanel
from echo3d.gui.position.stage import Stage
from echo3d.gui.position.undo import SceneChange
from echo3d.gui.position.viewport import structure_name
from echo3d.gui.tasks import Tasks
from echo3d.gui.widgets import column
from echo3d.positioning import state as change
from echo3d.positioning.beats import Beat
from echo3d.positioning.bodies import WorkBody, own_body
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.picking import Hit
from echo3d.positioning.poses import FIELDS, with_value
from echo3d.positioning.previews import Answer, CutPlane, Request, warning_of
from echo3d.positioning.state import Scene, Workspace

SETTLE_MS = 140
"""After the last change by keys or numbers the pictures are made in full."""
_HALF_HEIGHT = 170.0


class PositionPage(QWidget):
    """Holds a workspace and shows it.

    Parameters
    ----------
    canvas : the OpenGL surface of the window
    tasks : threads of the window, for loading
    restyler : has pictures translated into the trained style; closed with the page
    """

    said = Signal(str)
    said_softly = Signal(str)
    shown = Signal(object)
    job_started = Signal(str)

    def __init__(self, canvas: Canvas, tasks: Tasks, restyler: Restyler, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = Workspace()
        self.undo = QUndoStack(self)
        self.undo.setUndoLimit(100)
        self._tasks, self._drawers = tasks, Tasks(self, threads=1)
        self.loading = Loading(tasks, lambda: self.workspace.scene, self)
        self.arrivals = Arrivals(self, tasks)
        self.restyler = restyler
        self.loop = PreviewLoop(self._drawers, self._answered, self._wrong, restyler)
        self.stage, self.side = Stage(canvas), PreviewsSide()
        self.pose, self.sources, self.shows = PosePanel(), SourcesPanel(), ShowPanel()
        self.beat: Beat | None = None
        self.answer: Answer | None = None
        self._number = 0
        self._dragged_from: Scene | None = None
        self._smoothed: WeakSet[WorkBody] = WeakSet()
        self._shown_moment = -1
        self._played_at = 0.0
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(lambda: self._ask(settled=True))
        self._build()
        self._connect()

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a click beside the fields gives the keys back to the heart
        self.tabs = QTabWidget()
        for part, title in ((self.pose, "Pose"), (self.sources, "Heart, body"), (self.shows, "Show")):
            widget = QWidget()
            widget.setLayout(column(part, *(() if part is self.shows else (1,)), margins=(12, 12, 12, 12)))
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(widget)
            self.tabs.addTab(area, title)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        for side in (self.tabs, self.stage, self.side):
            self.splitter.addWidget(side)
        self.splitter.setHandleWidth(10)
        self.splitter.setChildrenCollapsible(False)
        self.tabs.setMinimumWidth(288)
        self.side.setMinimumWidth(352)
        self.reset_layout()
        self.setLayout(column(self.splitter, margins=(10, 8, 10, 10)))

    def reset_layout(self) -> None:
        """Give all parts their usual share of the width."""
        self.splitter.setSizes([288, 620, 400])
        for number, share in enumerate((0, 60, 40)):
            self.splitter.setStretchFactor(number, share)

    def _connect(self) -> None:
        view = self.stage.viewport
        self.loading.doing.connect(lambda words: self.look_at(doing=words))
        self.loading.failed.connect(self._wrong)
        self.loading.ready.connect(self.arrivals.use)
        view.dragging.connect(self._drag)
        view.dropped.connect(self._drop)
        view.pointed.connect(self._pointed_in_scene)
        self.side.pointed.connect(self._pointed_in_picture)
        self.side.selected.connect(lambda chosen: self.look_at(selected=chosen))
        self.side.enlarged.connect(lambda chosen: self.look_at(selected=chosen, enlarged=not self.workspace.enlarged))
        self.side.picture_wanted.connect(lambda picture: self.look_at(picture=picture))
        self.side.probe.entered.connect(self._probe_entered)
        self.side.probe.level_wanted.connect(lambda level: self.edit("short-axis planes", lambda s: change.with_level(s, level), "level"))
        self.pose.entered.connect(self._pose_entered)
        self.pose.reset_wanted.connect(lambda n: self.edit(f"reset {FIELDS[n].symbol}", lambda s: change.reset_value(s, n)))
        self.pose.followed.connect(lambda on: self.edit("probes follow" if on else "probes stay", lambda s: change.following(s, on)))
        self.stage.beat.moment_wanted.connect(lambda moment: self.look_at(moment=moment, playing=False))
        self.sources.body_wanted.connect(lambda *build: self.loading.body("Building the body", lambda: own_body(*build)))
        self.shows.toggled.connect(lambda group, on: self.dispatch(lambda w: change.shown(w, group, on)))
        self.shows.opacity_wanted.connect(lambda group, value: self.dispatch(lambda w: change.with_opacity(w, group, value)))
        self.shows.part_toggled.connect(lambda parts, on: self.dispatch(lambda w: change.with_part(w, parts, on)))
        self.shows.skin_wanted.connect(lambda value: self.look_at(skin=value))
        self.shows.fans_toggled.connect(lambda on: self.look_at(fans=on))
        self.shows.marks_toggled.connect(lambda on: self.look_at(marks=on))
        self.shows.handles_toggled.connect(view.show_handles)
        self.stage.clip_wanted.connect(lambda clip: self.look_at(clip=clip))
        self.stage.offset_wanted.connect(lambda mm: self.look_at(clip_mm=mm))

    # -- the state --------------------------------------------------------------------------------------------------------------------

    def dispatch(self, changed: Callable[[Workspace], Workspace], *, settled: bool | None = None) -> None:
        """Apply a change to the workspace and show it; ``settled`` says whether pictures are made in full at once."""
        old, self.workspace = self.workspace, changed(self.workspace)
        new = self.workspace
        if new.scene.heart is not old.scene.heart:
            self._new_heart(new.scene.heart)
        self._show_scene(old, new)
        self._show_panels()
        if pictures_differ(old, new):
            fast = settled is False or (settled is None and new.scene is not old.scene) or new.playing
            self._ask(settled=not fast)

    def look_at(self, **fields: object) -> None:
        """Set fields of the workspace that are not undone."""
        self.dispatch(lambda workspace: replace(workspace, **fields))  # type: ignore[arg-type]

    def edit(self, text: str, changed: Callable[[Scene], Scene], key: str = "") -> None:
        """Change the scene as one step of undo; steps with the same key that follow each other are one."""
        before = self.workspace.scene
        after = changed(before)
        if after is not before:
            self.undo.push(SceneChange(text, self.set_scene, before, after, key))

    def set_scene(self, scene: Scene) -> None:
        """Show another scene, not as a step of undo."""
        self.dispatch(lambda workspace: replace(workspace, scene=scene))

    def _new_heart(self, heart: WorkHeart | None) -> None:
        if self.beat is not None:
            self.beat.stopped = True
        self.beat = None if heart is None else Beat(heart)
        self.workspace = replace(self.workspace, moment=0, playing=False)

    def fill_beat(self) -> None:
        """Have all moments of the beat made."""
        beat = self.beat
        if beat is not None and not beat.complete and not beat.filling:
            beat.filling = True
            self._tasks.run(lambda: beat.fill(lambda: self._tasks.post(lambda: self._moment_made(beat))), _ignore, self._wrong)

    def _moment_made(self, beat: Beat) -> None:
        if beat is self.beat:
            self.stage.beat.show_workspace(self.workspace, beat.ready)
            if (
                not self.workspace.playing
                and beat.moment(self.workspace.moment) is not None
                and self._shown_moment != self.workspace.moment
            ):
                self._show_moment()
                self._ask(settled=True)

    def _show_scene(self, old: Workspace, new: Workspace) -> None:
        """Bring what changed to the scene."""
        scene, heart = self.stage.viewport.scene, new.scene.heart
        placement = new.scene.placement
        if new.scene.body is not old.scene.body:
            self._show_body(new.scene.body)
        drawn = heart is not old.scene.heart or new.hidden is not old.hidden or new.opacities is not old.opacities
        if drawn or new.ghost is not old.ghost:
            scene.show_heart(heart, self._moment_points(), new)
            self._shown_moment = new.moment
        if new.moment != old.moment:
            self._show_moment()
        scene.show_parts(new)
        scene.place_heart(heart, placement.pose)
        scene.place_ghost(new.ghost or heart, new.reference)
        self.stage.viewport.show_pose(None if heart is None else placement.pose, None if heart is None else heart.pivot)
        if (new.selected, new.fans) != (old.selected, old.fans) and self.answer is not None:
            scene.show_previews(self.answer.previews, new)
        if new.clip is not old.clip or new.clip_mm != old.clip_mm:
            scene.clip(self.plane(), None)
        if not self.stage.viewport.holding:  # otherwise the scene is drawn with the pictures that are on their way
            self.stage.viewport.refresh(moving=moves(old, new), behind=new.playing)

    def _show_body(self, body: WorkBody | None) -> None:
        """Show a body; where the processor draws, a thread makes what stands in for its bones and lungs while the scene moves."""
        scene = self.stage.viewport.scene
        surfaces = scene.show_body(body)
        if body is not None and scene.canvas.software and body not in self._smoothed:
            self._smoothed.add(body)
            self._tasks.run(lambda: smoother(surfaces), lambda made: scene.know_body(body, made), _ignore)

    def _show_moment(self) -> None:
        """Show the heart's surface at the moment of the beat, as soon as it is made."""
        if self.beat is None:
            return
        self.beat.wanted = self.workspace.moment
        if self.beat.moment(self.workspace.moment) is None:
            self.fill_beat()
            return
        self._shown_moment = self.workspace.moment
        self.stage.viewport.scene.move_points(self._moment_points())
        self.stage.viewport.refresh(moving=self.workspace.playing, behind=self.workspace.playing)

    def _moment_points(self) -> NDArray[np.float64]:
        return np.zeros((0, 3)) if self.beat is None else self.beat.nearest(self.workspace.moment).points

    def _show_panels(self) -> None:
        workspace = self.workspace
        self.pose.show_workspace(workspace)
        self.side.show_workspace(workspace)
        self.shows.show_workspace(workspace)
        self.stage.show_workspace(workspace)
        self.sources.show_workspace(workspace)
        self.stage.beat.show_workspace(workspace, 1 if self.beat is None else self.beat.ready)
        self.stage.viewport.say(doing=workspace.doing)
        self.shown.emit(workspace)

    # -- live pictures ----------------------------------------------------------------------------------------------------------------

    def plane(self) -> CutPlane | None:
        """Return the plane that the scene is cut open along."""
        workspace, heart = self.workspace, self.workspace.scene.heart
        if heart is None:
            return None
        known = None if self.answer is None else self.answer.previews.get(workspace.selected)
        fan = None if known is None else known.probe.sector
        return presets.cut_plane(workspace.clip, workspace.clip_mm, heart.pivot + workspace.scene.placement.pose.translation, fan)

    def _ask(self, *, settled: bool) -> None:
        """Ask for the six pictures as the workspace is now."""
        workspace = self.workspace
        if workspace.scene.heart is None or self.beat is None:
            return
        self._number += 1
        large = workspace.selected if workspace.enlarged else None
        moment = self.beat.nearest(workspace.moment)
        self.loop.ask(Request(self._number, workspace.scene, moment, workspace.picture, settled, large, self.plane()))
        self._settle.stop()
        if not settled and not self.stage.viewport.holding and not workspace.playing:
            self._settle.start()

    def _answered(self, answer: Answer) -> None:
        self.answer = answer
        settled, workspace = answer.request.settled, self.workspace
        self.side.show_previews(answer.previews, settled=settled)
        scene = self.stage.viewport.scene
        scene.show_previews(answer.previews, workspace)
        scene.clip(answer.request.plane if answer.sheet is not None else None, answer.sheet)
        self.stage.viewport.refresh(moving=not settled, behind=not settled)
        if settled:
            self.stage.viewport.say(warning=warning_of(answer))

    # -- the hand ---------------------------------------------------------------------------------------------------------------------

    def _drag(self, pose: Pose) -> None:
        if self._dragged_from is None:
            self._dragged_from = self.workspace.scene
        self.dispatch(lambda w: replace(w, scene=change.posed(w.scene, pose)), settled=False)

    def _drop(self, before: Pose, after: Pose) -> None:
        start, self._dragged_from = self._dragged_from, None
        if start is not None:
            self.undo.push(SceneChange("drag the heart", self.set_scene, start, self.workspace.scene))
        self._ask(settled=True)

    def _cancel_drag(self) -> None:
        start, self._dragged_from = self._dragged_from, None
        self.stage.viewport.cancel()
        if start is not None:
            self.set_scene(start)

    def _pose_entered(self, number: int, value: float) -> None:
        symbol = FIELDS[number].symbol
        self.edit(f"change {symbol}", lambda s: change.posed(s, with_value(s.placement.pose, number, value)), f"pose {number}")

    def _probe_entered(self, key: str, value: float) -> None:
        view = self.workspace.selected
        self.edit(f"{key.replace('_', ' ')} of {view.title}", lambda s: change.with_probe(s, view, key, value), f"{view.key} {key}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Nudge the heart; Esc lets go of a handle or of the enlarged picture."""
        nudge = nudge_of(event.keyCombination())
        if event.key() == Qt.Key.Key_Escape:
            if self.stage.viewport.holding:
                self._cancel_drag()
            else:
                self.look_at(enlarged=False)
        elif nudge is not None and self.workspace.scene.heart is not None:
            self.edit(f"nudge {FIELDS[nudge[0]].symbol}", lambda s: change.nudged(s, *nudge), f"nudge {nudge[0]}")
        else:
            super().keyPressEvent(event)

    def _pointed_in_picture(self, point: NDArray | None, text: str) -> None:
        self.stage.viewport.scene.show_spot(point)
        self.stage.viewport.say(pointed=text)
        self.stage.viewport.refresh()
        self.side.show_spot(point)

    def _pointed_in_scene(self, hit: Hit | None) -> None:
        self.stage.viewport.say(pointed="" if hit is None else structure_name(hit.structure))
        self.side.show_spot(None if hit is None else hit.point)

    def _wrong(self, sentence: str) -> None:
        self.look_at(error=sentence)
        self.said.emit(sentence)

    # -- camera -----------------------------------------------------------------------------------------------------------------------

    def look_from(self, side: presets.Side, *, half_height: float = _HALF_HEIGHT, smooth: bool = True) -> None:
        """Turn the camera to a side, the heart in the middle."""
        heart = self.workspace.scene.heart
        focus = np.zeros(3) if heart is None else heart.pivot + self.workspace.scene.placement.pose.translation
        self.stage.viewport.look(focus, *side, half_height, smooth=smooth)

    def fan(self, view: View) -> Any:
        """Return where a view's fan stands, None before it is known."""
        known = None if self.answer is None else self.answer.previews.get(view)
        return None if known is None else known.probe.sector

    def tick(self) -> None:
        """Go on in the beat while it plays."""
        workspace = self.workspace
        if workspace.playing and self.beat is not None and len(self.beat) > 1:
            moment = int((time.perf_counter() - self._played_at) * 1000 / self.moment_ms())
            if moment % len(self.beat) != workspace.moment:
                self.look_at(moment=moment % len(self.beat))

    def moment_ms(self) -> float:
        """Return how long a moment of the beat lasts."""
        beat = None if self.beat is None else self.beat.heart.beat
        return 60_000 / beat.heart_rate / PHASES if beat is not None else 1000.0

    def play(self, playing: bool) -> None:
        """Let the beat run, or stand."""
        self._played_at = time.perf_counter() - self.workspace.moment * self.moment_ms() / 1000
        self.fill_beat()
        self.look_at(playing=playing)

    def close_page(self) -> None:
        """End threads, timers and OpenGL's users."""
        self._settle.stop()
        self.arrivals.stop()
        self.restyler.close()
        if self.beat is not None:
            self.beat.stopped = True
        self.stage.viewport.close_view()
        self._drawers.close()


def _ignore(_: object) -> None:
    return None
