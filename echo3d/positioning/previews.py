"""The six pictures of a placed heart, and what there is to say of each: made on a thread from a frozen request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.window import acoustic_window
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import place
from echo3d.core.sector import Sector, SectorSlice
from echo3d.core.views import View
from echo3d.positioning.bodies import Inside, WorkBody, inside_of
from echo3d.positioning.hearts import Moment
from echo3d.positioning.looks import label_table, looked_at
from echo3d.positioning.poses import values_of
from echo3d.positioning.probes import Adjustment, Probe, probe_at_hand, standard_fans
from echo3d.positioning.restyling import Restyle, with_style
from echo3d.positioning.state import Picture, Scene, heart_of
from echo3d.slicing.cut import cut_views
from echo3d.slicing.labelvolume import Labels, PlacedLabels

DRAGGED, SETTLED, LARGE = 128, 256, 512
"""Pixels of a side while something is dragged, when it rests, and of an enlarged picture."""
_BEAMS = 96
_TESTED = 400
OUT_MM = 1.5
"""How far a heart may reach through the skin before it is said; the skin's own points lie about 5 mm apart."""


@dataclass(frozen=True, slots=True, eq=False)
class CutPlane:
    """A plane to be shown in the scene: a square with ``centre``, unit vectors ``across`` and ``down``, and its side in mm."""

    centre: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    side: float


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What is asked for.

    Parameters
    ----------
    number : of the request; larger is newer
    scene : heart, body and placement; the heart must be there
    moment : the heart at the moment that is shown
    picture : what the pictures show
    settled : whether nothing is being dragged: full size, acoustic windows and checks
    large : the view that is shown large, or None
    plane : a plane of the scene to be cut too, or None
    """

    number: int
    scene: Scene
    moment: Moment
    picture: Picture
    settled: bool
    large: View | None = None
    plane: CutPlane | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """One picture.

    Parameters
    ----------
    piece : the slice it was made from
    probe : where its probe stands
    pixels : (H, W, 4) RGBA
    window : share of the beams aimed at the heart that bone or lung stops, or None where it was not asked for
    """

    piece: SectorSlice
    probe: Probe
    pixels: NDArray[np.uint8]
    window: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of a request.

    Parameters
    ----------
    request : it
    previews : per view its picture
    outside_mm : how far the heart reaches out of the body, None where it was not asked for or there is no body
    sheet : (H, W, 4) RGBA of the plane, or None
    """

    request: Request
    previews: Mapping[View, Preview]
    outside_mm: float | None = None
    sheet: NDArray[np.uint8] | None = None


class Previewer:
    """Answers requests one after the other; keeps the probes and the skin of the last ones. For one thread at a time.

    Parameters
    ----------
    restyle : translates pictures into the trained style, None where nobody can
    """

    def __init__(self, restyle: Restyle | None = None) -> None:
        self._restyle = restyle
        self._standard: tuple[tuple[object, ...], Mapping[View, Sector]] = ((), {})
        self._probes: dict[View, tuple[tuple[object, ...], Probe]] = {}
        self._inside: tuple[WorkBody | None, Inside | None] = (None, None)

    def answer(self, request: Request) -> Answer:
        """Return the pictures and checks that are asked for."""
        scene = request.scene
        heart, pose = heart_of(scene), scene.placement.pose
        labels = PlacedLabels(request.moment.labels, pose, heart.pivot)
        probes = self.probes(scene)
        placed = (
            HeartMesh(place(request.moment.points, pose, heart.pivot), heart.mesh.faces, heart.mesh.labels) if request.settled else None
        )
        pieces = _cut(request, labels, probes)
        previews = {view: _preview(request, labels, piece, probes[view], placed) for view, piece in pieces.items()}
        if request.picture is Picture.CYCLEGAN:
            previews = with_style(previews, self._restyle)
        sheet = None if request.plane is None else _sheet(labels, request.plane, 360 if request.settled else 160)
        return Answer(request, previews, self._outside(scene.body, placed), sheet)

    def probes(self, scene: Scene) -> dict[View, Probe]:
        """Return where the six probes stand; only those that changed are worked out again."""
        heart, body, placement = heart_of(scene), scene.body, scene.placement
        standing = (heart, values_of(placement.aim), placement.level, placement.table)
        if self._standard[0] != standing:
            self._standard = (standing, standard_fans(heart.landmarks, placement.aim, level=placement.level, table=placement.table))
        return {view: self._probe(view, fan, placement.probe(view), body) for view, fan in self._standard[1].items()}

    def _probe(self, view: View, standard: Sector, adjustment: Adjustment, body: WorkBody | None) -> Probe:
        key = (standard, adjustment, body)
        known = self._probes.get(view)
        if known is None or known[0] != key:
            known = self._probes[view] = (key, probe_at_hand(standard, adjustment, None if body is None else body.skin))
        return known[1]

    def _outside(self, body: WorkBody | None, heart: HeartMesh | None) -> float | None:
        """Return how far the heart reaches out of the body, mm."""
        if body is None or heart is None:
            return None
        if self._inside[0] is not body:
            self._inside = (body, inside_of(body.skin))
        inside = self._inside[1]
        step = max(len(heart.points) // _TESTED, 1)
        return None if inside is None else float(max(0.0, -inside.depth(heart.points[::step]).min()))


def _cut(request: Request, labels: Labels, probes: Mapping[View, Probe]) -> dict[View, SectorSlice]:
    """Return what each fan sees, in the size that is asked for."""
    large = {view: probe.sector for view, probe in probes.items() if request.settled and view is request.large}
    others = {view: probe.sector for view, probe in probes.items() if view not in large}
    pieces = cut_views(labels, others, grid=SETTLED if request.settled else DRAGGED) | cut_views(labels, large, grid=LARGE)
    return {view: pieces[view] for view in probes}


def _preview(request: Request, labels: Labels, piece: SectorSlice, probe: Probe, placed: HeartMesh | None) -> Preview:
    body = request.scene.body
    window = acoustic_window(body.obstacles, placed, probe.sector, lines=_BEAMS) if placed is not None and body is not None else None
    pixels = looked_at(piece, labels, request.picture, window=window)
    return Preview(piece, probe, pixels, None if window is None else window.share)


def _sheet(labels: Labels, plane: CutPlane, size: int) -> NDArray[np.uint8]:
    """Return the (H, W, 4) labels in colours on a plane, clear where no heart is."""
    steps = ((np.arange(size) + 0.5) / size - 0.5) * plane.side
    points = plane.centre + steps[:, None, None] * plane.down + steps[None, :, None] * plane.across
    found = labels.look_up(points)
    picture = label_table()[found]
    picture[found == 0, 3] = 0
    return picture


def plane_of(sector: Sector) -> CutPlane:
    """Return the square that holds a fan."""
    return CutPlane(sector.origin + sector.depth / 2 * sector.axis, sector.lateral, sector.axis, sector.depth)


def warning_of(answer: Answer) -> str:
    """Return what is wrong with a placement, or an empty string."""
    said = []
    if answer.outside_mm is not None and answer.outside_mm > OUT_MM:
        said.append(f"The heart reaches {answer.outside_mm:.0f} mm out of the body.")
    lost = [view.title for view, preview in answer.previews.items() if preview.probe.touches is False]
    if lost:
        said.append(f"{'A probe is' if len(lost) == 1 else 'Probes are'} off the skin: {', '.join(lost)}.")
    return "  ".join(said)
