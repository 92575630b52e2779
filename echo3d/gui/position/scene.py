"""The workspace in 3D: what the state says becomes actors of the window's one OpenGL surface; no mouse, no arithmetic of poses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkPlane

from echo3d.anatomy.template import load_template
from echo3d.core.body import BONES, LUNGS, BodyPart, part_colour
from echo3d.core.pose import Pose
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.gui import theme
from echo3d.gui.canvas import POSITION, Canvas
from echo3d.gui.coloured import coloured_actor
from echo3d.gui.heart_scene import colours, skin_of
from echo3d.gui.position import actors
from echo3d.gui.position.shell import HeartShell
from echo3d.positioning.bodies import WorkBody
from echo3d.positioning.handles import Camera
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.previews import CutPlane, Preview
from echo3d.positioning.probes import Probe
from echo3d.positioning.state import Workspace

_GROUND_ALPHA = 90


class PositionScene:
    """Draws a workspace.

    Parameters
    ----------
    canvas : the OpenGL surface
    """

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.renderer: Any = canvas.renderer(POSITION)
        self.heart, self._glass = HeartShell(coloured_actor()), HeartShell(coloured_actor())
        self._glass.whole.GetProperty().SetBackfaceCulling(True)
        self.ghost = HeartShell(actors.plain_actor((0.75, 0.8, 0.88), opacity=0.25))
        self.ghost.whole.GetProperty().SetBackfaceCulling(True)
        self._parts = {part: actors.Twin(_part_actor(part)) for part in BodyPart}
        self._lines = {view: actors.line_actor(_tint(view), 1.6) for view in View}
        self._probes = {view: actors.plain_actor(_tint(view)) for view in View}
        self._fan, self._cut = actors.Sheet(), actors.Sheet()
        self._spot = actors.plain_actor((1.0, 1.0, 1.0))
        self._spot.SetVisibility(False)
        self._marks = actors.plain_actor((1.0, 0.93, 0.5))
        actors.set_input(self._spot, pv.Sphere(radius=2.2, theta_resolution=16, phi_resolution=12))
        self._drawn: tuple[NDArray, NDArray] = (np.zeros((0, 3), np.int32), np.zeros(0, np.uint8))
        self._points = np.zeros((0, 3))
        self._ghost_moves = True
        self._closed = False
        self.cut_plane: CutPlane | None = None
        self._held: dict[View, Probe] = {}
        self._body: WorkBody | None = None
        self._surfaces: WeakKeyDictionary[WorkBody, Mapping[BodyPart, actors.Pair]] = WeakKeyDictionary()
        self._add()
        self.renderer.camera.SetParallelProjection(True)
        canvas.pacer.lightened.connect(self._lighten)

    def _add(self) -> None:
        """Give the renderer all actors, what is clear from the inside outwards: it is drawn in this order."""
        bones = [self._parts[part] for part in (*BONES, *LUNGS)]
        order = [*_both(*bones, self.heart), *self._lines.values(), *self._probes.values(), self._marks, self._spot]
        order += [self._cut.actor, self._fan.actor, *_both(self.ghost, self._glass, self._parts[BodyPart.SKIN])]
        for actor in order:
            self.renderer.add_actor(actor, render=False, reset_camera=False, pickable=False)

    @property
    def _twins(self) -> tuple[actors.Twin, ...]:
        return self.heart, self._glass, self.ghost, *self._parts.values()

    def _lighten(self, light: bool) -> None:
        """Draw light surfaces while the scene moves, or the whole ones."""
        for twin in self._twins:
            twin.lighten(light)

    # -- heart ------------------------------------------------------------------------------------------------------------------------

    def show_heart(self, heart: WorkHeart | None, points: NDArray, workspace: Workspace) -> None:
        """Show the heart's surface with the structures that are drawn, each with its opacity."""
        faces, structures = drawn_faces(heart, workspace) if heart is not None else (self._drawn[0][:0], self._drawn[1][:0])
        self._drawn, self._points = (faces, structures), np.asarray(points, float)
        self._closed = heart is not None and heart.ours
        self._cull()
        clear = np.isin(structures, [structure for structure, opacity in workspace.opacities.items() if opacity < 1])
        # several clear walls behind each other must be sorted; a clear skin alone need not be, and is drawn in a sixth less of the time
        self.renderer.SetUseOIT(not self.canvas.software or bool(clear.any()))
        self._give(self.heart, faces[~clear], structures[~clear], {})
        self._give(self._glass, faces[clear], structures[clear], workspace.opacities)
        self._show_ghost(workspace, (faces, structures))
        if heart is not None:
            actors.set_input(self._marks, actors.landmark_surface(heart.landmarks))

    def _give(self, shell: HeartShell, faces: NDArray, structures: NDArray, opacities: Mapping[Structure, float]) -> None:
        tints = colours(structures)
        if opacities:
            alpha = np.full(256, 255, np.uint8)
            for structure, opacity in opacities.items():
                alpha[structure] = round(255 * opacity)
            tints = np.column_stack([tints, alpha[structures]])
        shell.give(self._points, faces, np.ascontiguousarray(tints))

    def _show_ghost(self, workspace: Workspace, own: tuple[NDArray, NDArray]) -> None:
        """Give the ghost the surface of the heart that is compared with, which is the scene's own where no other is kept."""
        other, heart = workspace.ghost, workspace.scene.heart
        self._ghost_moves = other is None or other is heart
        faces, structures = own if other is None or other is heart else drawn_faces(other, workspace)
        points = self._points if other is None or other is heart else other.mesh.points
        self.ghost.give(points, faces, np.ascontiguousarray(colours(structures)))

    def move_points(self, points: NDArray) -> None:
        """Show the same surface at another moment of the beat."""
        self._points = np.asarray(points, float)
        for shell in (self.heart, self._glass, *((self.ghost,) if self._ghost_moves else ())):
            shell.move(self._points)

    def place_heart(self, heart: WorkHeart | None, pose: Pose) -> None:
        """Stand the heart where its pose says."""
        if heart is not None:
            matrix = actors.matrix_of(pose, heart.pivot)
            self.heart.stand(matrix)
            self._glass.stand(matrix)
            actors.stand(self._marks, matrix)

    def place_ghost(self, heart: WorkHeart | None, reference: Pose | None) -> None:
        """Stand the heart that is compared with where its pose says; hide it where there is none."""
        self.ghost.show(reference is not None and heart is not None)
        if reference is not None and heart is not None:
            self.ghost.stand(actors.matrix_of(reference, heart.pivot))

    @property
    def drawn(self) -> tuple[NDArray, NDArray, NDArray]:
        """Points (N, 3) before the pose, faces (F, 3) and structures (F,) of the heart as it is drawn."""
        return self._points, *self._drawn

    # -- body -------------------------------------------------------------------------------------------------------------------------

    def know_body(self, body: WorkBody, surfaces: Mapping[BodyPart, actors.Pair]) -> None:
        """Keep the surfaces of a body, made on a thread, until it is shown; better ones take the place of those that are."""
        self._surfaces[body] = surfaces
        if body is self._body:
            self.show_body(body)

    def show_body(self, body: WorkBody | None) -> Mapping[BodyPart, actors.Pair]:
        """Show another body, and return its surfaces."""
        self._body = body
        if body is not None and body not in self._surfaces:
            self._surfaces[body] = actors.body_surfaces(body.mesh)
        shown = {} if body is None else self._surfaces[body]
        for part, twin in self._parts.items():
            for actor, mesh in zip(twin.both, shown.get(part, (pv.PolyData(), pv.PolyData())), strict=True):
                if actor.GetMapper().GetInputDataObject(0, 0) is not mesh:
                    actors.set_input(actor, mesh)
        return shown

    def show_parts(self, workspace: Workspace) -> None:
        """Show the parts of the body that are drawn."""
        for part, twin in self._parts.items():
            opacity = workspace.skin if part is BodyPart.SKIN else 1.0
            twin.show(part in workspace.parts and workspace.scene.body is not None and opacity > 0)
        self._parts[BodyPart.SKIN].whole.GetProperty().SetOpacity(workspace.skin)
        self._marks.SetVisibility(workspace.marks and workspace.scene.heart is not None)

    # -- probes -----------------------------------------------------------------------------------------------------------------------

    def show_previews(self, previews: Mapping[View, Preview], workspace: Workspace) -> None:
        """Show the six fans and probes, and the selected view's picture in its place."""
        for view in View:
            there = view in previews and workspace.fans
            self._lines[view].SetVisibility(there)
            self._probes[view].SetVisibility(there)
            if there:
                self._show_probe(view, previews[view], chosen=view is workspace.selected)
        chosen = previews.get(workspace.selected)
        if chosen is None or not workspace.fans:
            self._fan.hide()
            return
        side = chosen.piece.pixel_mm * chosen.piece.labels.shape[0]
        self._fan.show(actors.fan_corners(chosen.probe.sector, side), sheet_of(chosen))

    def _show_probe(self, view: View, preview: Preview, *, chosen: bool) -> None:
        if self._held.get(view) is not preview.probe:
            self._held[view] = preview.probe
            actors.set_input(self._lines[view], actors.fan_line(preview.probe.sector))
            actors.set_input(self._probes[view], actors.probe_surface(preview.probe.sector))
        self._lines[view].GetProperty().SetLineWidth(3.0 if chosen else 1.3)
        self._lines[view].GetProperty().SetOpacity(1.0 if chosen else 0.55)
        self._tint_probe(view)

    def _tint_probe(self, view: View) -> None:
        """Colour a fan and its probe as their view, a probe off the skin in red."""
        lost = view in self._held and self._held[view].touches is False
        self._lines[view].GetProperty().SetColor(*_tint(view))
        self._probes[view].GetProperty().SetColor(*((1.0, 0.3, 0.3) if lost else _tint(view)))

    def tint(self) -> None:
        """Take the colours of the theme that is shown."""
        for view in View:
            self._tint_probe(view)

    def show_spot(self, point: NDArray | None) -> None:
        """Show a point in space, or none."""
        self._spot.SetVisibility(point is not None)
        if point is not None:
            self._spot.SetPosition(*(float(v) for v in point))

    # -- clipping ---------------------------------------------------------------------------------------------------------------------

    def clip(self, plane: CutPlane | None, sheet: NDArray[np.uint8] | None) -> None:
        """Cut heart and body open on the viewer's side of a plane, and show the heart's labels on the cut."""
        made, self.cut_plane = None, plane
        if plane is not None:
            made = vtkPlane()
            normal = np.cross(plane.across, plane.down)
            made.SetOrigin(*plane.centre)
            made.SetNormal(*normal)
        for actor in _both(*self._twins):
            actor.GetMapper().RemoveAllClippingPlanes()
            if made is not None:
                actor.GetMapper().AddClippingPlane(made)
        self._cull()
        if plane is None or sheet is None:
            self._cut.hide()
        else:
            self._cut.show(actors.plane_corners(plane.centre, plane.across, plane.down, plane.side), sheet)

    def _cull(self) -> None:
        """Leave out the backs of closed surfaces, which are not seen while nothing is cut open; it saves a quarter of the time."""
        whole = self.cut_plane is None
        for part in BONES:
            self._parts[part].whole.GetProperty().SetBackfaceCulling(whole)
        self.heart.whole.GetProperty().SetBackfaceCulling(whole and self._closed)

    # -- camera -----------------------------------------------------------------------------------------------------------------------

    def camera(self) -> Camera:
        """Return how the scene is seen, in logical pixels."""
        camera, plotter = self.renderer.camera, self.canvas.plotter
        towards = -np.array(camera.GetDirectionOfProjection())
        up = np.array(camera.GetViewUp())
        right = np.cross(up, towards)
        right /= max(float(np.linalg.norm(right)), 1e-9)
        height = max(plotter.height(), 1)
        scale = 2 * camera.GetParallelScale() / height
        return Camera(np.array(camera.GetFocalPoint()), right, np.cross(towards, right), scale, plotter.width(), height)

    def look(self, focus: NDArray, towards: NDArray, up: NDArray, half_height: float, *, moving: bool = False) -> None:
        """Look from a side; ``half_height`` is half of what the picture's height shows, mm."""
        camera = self.renderer.camera
        camera.SetFocalPoint(*focus)
        camera.SetPosition(*(focus + 2000.0 * towards))
        camera.SetViewUp(*up)
        camera.SetParallelScale(half_height)
        camera.SetClippingRange(10.0, 4000.0)
        self.canvas.update(POSITION, moving=moving)

    def refresh(self, *, moving: bool = False, behind: bool = False) -> None:
        """Have the scene drawn again; lightly where it moves."""
        self.renderer.camera.SetClippingRange(10.0, 4000.0)
        self.canvas.update(POSITION, moving=moving, behind=behind)


def _both(*twins: actors.Twin) -> list[Any]:
    """Return the actors of some twins."""
    return [actor for twin in twins for actor in twin.both]


def sheet_of(preview: Preview) -> NDArray[np.uint8]:
    """Return a view's picture for the scene: what is no heart is half clear."""
    pixels = preview.pixels.copy()
    ground = preview.piece.inside & (preview.piece.labels == 0)
    pixels[ground, 3] = _GROUND_ALPHA
    return pixels


def drawn_faces(heart: WorkHeart, workspace: Workspace) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return faces (F, 3) of the heart's mesh that are drawn, and the structure (F,) behind each."""
    visible = frozenset(Structure) - workspace.hidden - {Structure.BACKGROUND}
    if heart.ours:
        skin = skin_of(load_template(), visible)
        return skin.faces, skin.structures
    kept = np.isin(heart.mesh.labels, list(visible))
    known = np.isin(heart.mesh.labels, list(Structure))
    labels = np.where(known, heart.mesh.labels, Structure.LV_MYOCARDIUM)
    return heart.mesh.faces[kept | ~known], labels[kept | ~known].astype(np.uint8)


def _tint(view: View) -> tuple[float, float, float]:
    """Return the colour of a view, in the scene and on its picture."""
    tint = theme.view_tint(view)
    return tint.redF(), tint.greenF(), tint.blueF()


def _part_actor(part: BodyPart) -> Any:
    red, green, blue = part_colour(part)
    actor = actors.plain_actor((red / 255, green / 255, blue / 255), opacity=0.55 if part in LUNGS else 1.0)
    if part is BodyPart.SKIN or part in LUNGS:
        actor.GetProperty().SetBackfaceCulling(True)
    if part is BodyPart.SKIN:
        actor.GetProperty().SetSpecular(0.35)
    return actor
