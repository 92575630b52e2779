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
        self._heart, self._glass = coloured_actor(), coloured_actor()
        self._glass.GetProperty().SetBackfaceCulling(True)
        self._ghost = actors.plain_actor((0.75, 0.8, 0.88), opacity=0.25)
        self._ghost.GetProperty().SetBackfaceCulling(True)
        self._parts = {part: _part_actor(part) for part in BodyPart}
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
        self.cut_plane: CutPlane | None = None
        self._held: dict[View, Probe] = {}
        self._surfaces: WeakKeyDictionary[WorkBody, Mapping[BodyPart, actors.Pair]] = WeakKeyDictionary()
        self._shown: Mapping[BodyPart, actors.Pair] = {}
        self.light = False
        self._add()
        self.renderer.camera.SetParallelProjection(True)

    def _add(self) -> None:
        bones = [self._parts[part] for part in (*BONES, *LUNGS)]
        order = [*bones, self._heart, *self._lines.values(), *self._probes.values(), self._marks, self._spot]
        order += [self._cut.actor, self._fan.actor, self._ghost, self._glass, self._parts[BodyPart.SKIN]]
        for actor in order:
            self.renderer.add_actor(actor, render=False, reset_camera=False, pickable=False)

    # -- heart ------------------------------------------------------------------------------------------------------------------------

    def show_heart(self, heart: WorkHeart | None, points: NDArray, workspace: Workspace) -> None:
        """Show the heart's surface with the structures that are drawn, each with its opacity."""
        faces, structures = drawn_faces(heart, workspace) if heart is not None else (self._drawn[0][:0], self._drawn[1][:0])
        self._drawn, self._points = (faces, structures), np.asarray(points, float)
        clear = np.isin(structures, [structure for structure, opacity in workspace.opacities.items() if opacity < 1])
        self._show_part(self._heart, faces[~clear], structures[~clear], {})
        self._show_part(self._glass, faces[clear], structures[clear], workspace.opacities)
        self._show_ghost(workspace, (faces, structures))
        if heart is not None:
            actors.set_input(self._marks, actors.landmark_surface(heart.landmarks))

    def _show_part(self, actor: Any, faces: NDArray, structures: NDArray, opacities: Mapping[Structure, float]) -> None:
        actor.SetVisibility(len(faces) > 0)
        if not len(faces):
            return
        tints = colours(structures)
        if opacities:
            alpha = np.full(256, 255, np.uint8)
            for structure, opacity in opacities.items():
                alpha[structure] = round(255 * opacity)
            tints = np.column_stack([tints, alpha[structures]])
        actors.set_input(actor, actors.surface(self._points, faces, np.ascontiguousarray(tints)))

    def _show_ghost(self, workspace: Workspace, own: tuple[NDArray, NDArray]) -> None:
        """Give the ghost the surface of the heart that is compared with, which is the scene's own where no other is kept."""
        other, heart = workspace.ghost, workspace.scene.heart
        self._ghost_moves = other is None or other is heart
        faces, structures = own if other is None or other is heart else drawn_faces(other, workspace)
        points = self._points if other is None or other is heart else other.mesh.points
        self._ghost.SetVisibility(len(faces) > 0)
        if len(faces):
            actors.set_input(self._ghost, actors.surface(points, faces, np.ascontiguousarray(colours(structures))))

    def move_points(self, points: NDArray) -> None:
        """Show the same surface at another moment of the beat."""
        self._points = np.asarray(points, float)
        for actor in (self._heart, self._glass, *((self._ghost,) if self._ghost_moves else ())):
            mesh = actor.GetMapper().GetInputDataObject(0, 0)
            if actor.GetVisibility() and mesh.GetNumberOfPoints() == len(points):
                faces = pv.wrap(mesh).regular_faces
                colour = pv.wrap(mesh).cell_data["colour"]
                actors.set_input(actor, actors.surface(self._points, faces, np.asarray(colour)))

    def place_heart(self, heart: WorkHeart | None, pose: Pose) -> None:
        """Stand the heart where its pose says."""
        if heart is not None:
            for actor in (self._heart, self._glass, self._marks):
                actors.stand(actor, actors.matrix_of(pose, heart.pivot))

    def place_ghost(self, heart: WorkHeart | None, reference: Pose | None) -> None:
        """Stand the heart that is compared with where its pose says; hide it where there is none."""
        self._ghost.SetVisibility(reference is not None and heart is not None)
        if reference is not None and heart is not None:
            actors.stand(self._ghost, actors.matrix_of(reference, heart.pivot))

    @property
    def drawn(self) -> tuple[NDArray, NDArray, NDArray]:
        """Points (N, 3) before the pose, faces (F, 3) and structures (F,) of the heart as it is drawn."""
        return self._points, *self._drawn

    # -- body -------------------------------------------------------------------------------------------------------------------------

    def know_body(self, body: WorkBody, surfaces: Mapping[BodyPart, actors.Pair]) -> None:
        """Keep the surfaces of a body, made on a thread, until it is shown."""
        self._surfaces[body] = surfaces

    def show_body(self, body: WorkBody | None) -> None:
        """Show another body."""
        if body is not None and body not in self._surfaces:
            self.know_body(body, actors.body_surfaces(body.mesh))
        self._shown = {} if body is None else self._surfaces[body]
        self._show_surfaces()

    def _show_surfaces(self) -> None:
        for part, actor in self._parts.items():
            pair = self._shown.get(part)
            actors.set_input(actor, pv.PolyData() if pair is None else pair[1 if self.light else 0])

    def lighten(self, light: bool) -> None:
        """Draw a light body and no picture on the fan, as long as something is dragged where the processor draws; or all again."""
        if light is not self.light and self.canvas.software:
            self.light = light
            self._show_surfaces()
            if light:
                self._fan.hide()

    def show_parts(self, workspace: Workspace) -> None:
        """Show the parts of the body that are drawn."""
        for part, actor in self._parts.items():
            opacity = workspace.skin if part is BodyPart.SKIN else 1.0
            actor.SetVisibility(part in workspace.parts and workspace.scene.body is not None and opacity > 0)
        self._parts[BodyPart.SKIN].GetProperty().SetOpacity(workspace.skin)
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
        if chosen is None or not workspace.fans or self.light:
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
        for actor in (self._heart, self._glass, self._ghost, *self._parts.values()):
            actor.GetMapper().RemoveAllClippingPlanes()
            if made is not None:
                actor.GetMapper().AddClippingPlane(made)
        if plane is None or sheet is None:
            self._cut.hide()
        else:
            self._cut.show(actors.plane_corners(plane.centre, plane.across, plane.down, plane.side), sheet)

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

    def look(self, focus: NDArray, towards: NDArray, up: NDArray, half_height: float) -> None:
        """Look from a side; ``half_height`` is half of what the picture's height shows, mm."""
        camera = self.renderer.camera
        camera.SetFocalPoint(*focus)
        camera.SetPosition(*(focus + 2000.0 * towards))
        camera.SetViewUp(*up)
        camera.SetParallelScale(half_height)
        camera.SetClippingRange(10.0, 4000.0)
        self.canvas.update(POSITION)

    def refresh(self) -> None:
        """Have the scene drawn again."""
        self.renderer.camera.SetClippingRange(10.0, 4000.0)
        self.canvas.update(POSITION)


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
