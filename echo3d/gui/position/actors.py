"""The pieces of the scene as VTK actors: surfaces, lines, textured sheets; made once, then only their input changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkFiltersCore import vtkQuadricClustering, vtkQuadricDecimation
from vtkmodules.vtkRenderingCore import vtkActor, vtkTexture

from echo3d.core.body import BodyMesh, BodyPart, part_surface
from echo3d.core.pose import Pose
from echo3d.core.sector import Sector
from echo3d.gui.coloured import coloured_actor
from echo3d.gui.heart_scene import fan_outline, point_normals


def plain_actor(colour: tuple[float, float, float], *, opacity: float = 1.0) -> vtkActor:
    """Return an actor for a surface of one colour."""
    actor = coloured_actor(opacity=opacity)
    actor.GetMapper().ScalarVisibilityOff()
    actor.GetProperty().SetColor(*colour)
    return actor


def line_actor(colour: tuple[float, float, float], width: float) -> vtkActor:
    """Return an actor for lines, unlit."""
    actor = plain_actor(colour)
    actor.GetProperty().SetLineWidth(width)
    actor.GetProperty().LightingOff()
    return actor


class Twin:
    """A surface, and a light one that stands in for it while the scene moves; both look alike.

    Parameters
    ----------
    actor : the surface

    Attributes
    ----------
    whole, light : the two actors, of which one at most is drawn
    """

    def __init__(self, actor: vtkActor) -> None:
        self.whole, self.light = actor, coloured_actor()
        self.light.SetProperty(actor.GetProperty())
        self.light.GetMapper().SetScalarVisibility(actor.GetMapper().GetScalarVisibility())
        self.shown, self.lightly = True, False
        self.show(True)

    @property
    def both(self) -> tuple[vtkActor, vtkActor]:
        """The two actors."""
        return self.whole, self.light

    def show(self, shown: bool) -> None:
        """Show the surface or not."""
        self.shown = shown
        self.whole.SetVisibility(shown and not self.lightly)
        self.light.SetVisibility(shown and self.lightly)

    def lighten(self, light: bool) -> None:
        """Draw the light surface, or the whole one."""
        self.lightly = light
        self.show(self.shown)

    def stand(self, matrix: NDArray) -> None:
        """Put both where a (4, 4) matrix says."""
        for actor in self.both:
            stand(actor, matrix)


class Sheet:
    """A picture in space: a textured square, unlit.

    Attributes
    ----------
    actor : what the renderer is given
    """

    def __init__(self) -> None:
        self._image = vtkImageData()
        self._texture = vtkTexture()
        self._texture.SetInputDataObject(self._image)
        self._texture.SetInterpolate(False)
        self._texture.SetColorModeToDirectScalars()
        self.actor = plain_actor((1.0, 1.0, 1.0))
        self.actor.GetProperty().LightingOff()
        self.actor.SetTexture(self._texture)
        self.actor.SetVisibility(False)

    def show(self, corners: NDArray, pixels: NDArray[np.uint8]) -> None:
        """Show an RGBA picture (H, W, 4) on corners (4, 3) mm, in the order upper left, upper right, lower right, lower left."""
        quad = pv.PolyData.from_regular_faces(corners.astype(np.float32), np.array([[0, 1, 2], [0, 2, 3]]))
        quad.point_data.active_texture_coordinates = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        self.actor.GetMapper().SetInputDataObject(quad)
        height, width = pixels.shape[:2]
        self._image.SetDimensions(width, height, 1)
        self._image.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, 4), deep=True))
        self._image.Modified()
        self.actor.ForceTranslucentOn()
        self.actor.SetVisibility(True)

    def hide(self) -> None:
        """Show nothing."""
        self.actor.SetVisibility(False)


def set_input(actor: vtkActor, mesh: pv.PolyData) -> None:
    """Give an actor another surface."""
    actor.GetMapper().SetInputDataObject(mesh)


def surface(points: NDArray, faces: NDArray, colours: NDArray[np.uint8] | None = None) -> pv.PolyData:
    """Return a surface with normals, and a colour per face where given."""
    mesh = pv.PolyData.from_regular_faces(np.ascontiguousarray(points, np.float32), np.asarray(faces, np.int32))
    mesh.point_data.active_normals = point_normals(np.asarray(points, float), faces)
    if colours is not None:
        mesh.cell_data["colour"] = colours
    return mesh


Pair = tuple[pv.PolyData, pv.PolyData]
"""A surface, and one of far fewer triangles to be drawn in its place while something is dragged."""


_COARSE_MM = 6.0
_SKIN_MM = 16.0
_KEPT = 0.2
"""Of the triangles of a bone or lung that the light surface keeps."""


def body_surfaces(body: BodyMesh) -> dict[BodyPart, Pair]:
    """Return the parts of a body ready to be drawn, whole and coarse; it takes a quarter of a second and belongs on a thread."""
    whole = {part: surface(*part_surface(body, part)) for part in body.parts}
    return {part: (mesh, clustered(mesh, _SKIN_MM if part is BodyPart.SKIN else _COARSE_MM)) for part, mesh in whole.items()}


def smoother(pairs: Mapping[BodyPart, Pair]) -> dict[BodyPart, Pair]:
    """Return the same with bones and lungs decimated, which look better with fewer triangles; it takes half a second, on a thread.

    The skin stays clustered: it is seen through, and alone would take as long as all else.
    """
    return {part: pair if part is BodyPart.SKIN else (pair[0], decimated(pair[0], _KEPT)) for part, pair in pairs.items()}


def clustered(mesh: pv.PolyData, cell_mm: float) -> pv.PolyData:
    """Return a surface with one point in each cube of ``cell_mm``; quick and coarse.

    >>> ball = surface(pv.Sphere(radius=40).points, pv.Sphere(radius=40).regular_faces)
    >>> clustered(ball, 12.0).n_cells < ball.n_cells / 2
    True
    """
    cells = vtkQuadricClustering()
    cells.SetInputData(mesh)
    cells.AutoAdjustNumberOfDivisionsOff()
    low, high = mesh.bounds[0::2], mesh.bounds[1::2]
    cells.SetNumberOfDivisions(*(max(int((b - a) / cell_mm), 2) for a, b in zip(low, high, strict=True)))
    cells.Update()
    return _again(pv.wrap(cells.GetOutput()), mesh)


def decimated(mesh: pv.PolyData, share: float) -> pv.PolyData:
    """Return a surface with a share of the triangles, those that matter least collapsed; other threads go on meanwhile.

    >>> ball = surface(pv.Sphere(radius=40).points, pv.Sphere(radius=40).regular_faces)
    >>> abs(decimated(ball, 0.25).n_cells - ball.n_cells / 4) < 10
    True
    """
    edges = vtkQuadricDecimation()
    edges.SetInputData(mesh)
    edges.SetTargetReduction(1 - share)
    edges.Update()
    return _again(pv.wrap(edges.GetOutput()), mesh)


def _again(made: pv.PolyData, mesh: pv.PolyData) -> pv.PolyData:
    """Return a made surface with normals, or the one it was made of where nothing is left."""
    return surface(np.asarray(made.points), np.asarray(made.regular_faces)) if made.n_cells else mesh


def landmark_surface(landmarks: Mapping[str, NDArray], radius: float = 1.8) -> pv.PolyData:
    """Return a small ball at each landmark of a heart."""
    balls = [pv.Sphere(radius=radius, center=at, theta_resolution=12, phi_resolution=10) for at in landmarks.values()]
    return balls[0].append_polydata(*balls[1:])


def matrix_of(pose: Pose, pivot: NDArray) -> NDArray[np.float64]:
    """Return the (4, 4) matrix of a pose about a pivot.

    >>> matrix_of(Pose(np.array([1.0, 2, 3]), np.zeros(3), 2.0), np.array([1.0, 0, 0]))[:3, 3]
    array([0., 2., 3.])
    """
    matrix = np.eye(4)
    matrix[:3, :3] = pose.scale * pose.matrix
    matrix[:3, 3] = pivot + pose.translation - matrix[:3, :3] @ pivot
    return matrix


def stand(actor: vtkActor, matrix: NDArray) -> None:
    """Put an actor where a (4, 4) matrix says."""
    made = vtkMatrix4x4()
    made.DeepCopy(np.asarray(matrix, float).ravel().tolist())
    actor.SetUserMatrix(made)


_PROBE = ((-1.0, 10.0, 4.5), (0.5, 11.5, 6.0), (9.0, 11.5, 6.5), (15.0, 9.0, 6.0), (22.0, 6.0, 5.0), (46.0, 5.5, 4.5), (49.0, 3.5, 2.5))
"""Outline of a probe: height over the tip of its fan, half breadth across the beams, half thickness, mm."""


def probe_surface(fan: Sector) -> pv.PolyData:
    """Return a probe on the tip of a fan, broad across the beams, with its index marker on the picture's right."""
    body = _lofted(fan, np.array(_PROBE), 0.0)
    marker = _lofted(fan, np.array([(3.0, 0.5, 0.5), (4.0, 2.2, 1.8), (11.0, 2.2, 1.8), (12.0, 0.5, 0.5)]), 11.5)
    return body.append_polydata(marker)


def _lofted(fan: Sector, rings: NDArray, aside: float, steps: int = 24) -> pv.PolyData:
    """Return a closed surface through rounded rectangles over the tip of a fan, ``aside`` mm towards the picture's right."""
    turn = np.arange(steps) / steps * 2 * np.pi
    cos, sin = (np.sign(f) * np.abs(f) ** 0.6 for f in (np.cos(turn), np.sin(turn)))
    flat = [np.column_stack([aside + wide * cos, thick * sin, np.full(steps, high)]) for high, wide, thick in rings]
    ends = np.array([[aside, 0, rings[0, 0]], [aside, 0, rings[-1, 0]]])
    points = fan.origin + np.concatenate([*flat, ends]) @ np.stack([fan.lateral, fan.normal, -fan.axis])
    here, ahead = np.arange(steps), (np.arange(steps) + 1) % steps
    faces = [np.column_stack([k + here, k + ahead, k + steps + ahead]) for k in range(0, steps * (len(rings) - 1), steps)]
    faces += [np.column_stack([k + here, k + steps + ahead, k + steps + here]) for k in range(0, steps * (len(rings) - 1), steps)]
    last, tip = steps * (len(rings) - 1), steps * len(rings)
    faces += [np.column_stack([ahead, here, np.full(steps, tip)]), np.column_stack([last + here, last + ahead, np.full(steps, tip + 1)])]
    return surface(points, np.concatenate(faces))


def fan_corners(fan: Sector, side: float) -> NDArray[np.float64]:
    """Return the (4, 3) corners of a fan's square picture."""
    return fan.world(np.array([[0, -side / 2], [0, side / 2], [side, side / 2], [side, -side / 2]]))


def plane_corners(centre: NDArray, across: NDArray, down: NDArray, side: float) -> NDArray[np.float64]:
    """Return the (4, 3) corners of a square."""
    h = side / 2
    return np.stack([centre + x * h * across + y * h * down for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def fan_line(fan: Sector) -> pv.PolyData:
    """Return the outline of a fan."""
    return fan_outline(fan)
