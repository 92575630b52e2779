"""What pictures of a heart cost, in one run: its label volume once, six 256² views per pose of ours, in torch, and by PyVista.

pytest tests/benchmarks/test_slicing.py --benchmark-enable -s

PyVista slices the same walls as tetrahedra in several ways, all told: cut the mesh with each plane, by ``slice`` or by VTK's plane cutter
(which keeps a tree of the cells between planes), and fill the triangles, one by one in OpenCV or all at once in NumPy; or look up every
pixel's tetrahedron with a locator that is built once. Planes are moved back instead of the mesh forth, which spares it moving all points
per pose; the plain way, which moves them, is told beside. There may be faster ways yet.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
import pytest
import pyvista as pv
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from vtkmodules.vtkCommonDataModel import vtkPlane, vtkStaticCellLocator
from vtkmodules.vtkFiltersCore import vtkPlaneCutter, vtkProbeFilter

from echo3d.anatomy.cohort import build_heart, draw_heart
from echo3d.anatomy.material import GRID_SIDE
from echo3d.anatomy.published import foreign_heart, own_heart
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.foreign import TaggedSurface, tetra_boundaries
from echo3d.core.pose import Pose, place, unplace
from echo3d.core.sector import PictureGrid, Sector
from echo3d.core.views import View
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.slicing.cut import VoxelSpace, cut_views, voxel_space
from echo3d.slicing.labelvolume import PlacedLabels, WarpedLabels, warp
from echo3d.slicing.standard import draw_sector, jittered, standard_sectors
from tests.tetrahedra import wall_tetrahedra
from training.slicing import cut_batch, heart_batch

GRID = PictureGrid(256, 256, 0.8)
GROUP = "six 256² views of a new pose and probe"
Fans = dict[View, Sector]


@dataclass(frozen=True)
class Walls:
    """The template's walls: tetrahedra for PyVista, and the label volume that ours makes of them."""

    surface: TaggedSurface
    mesh: pv.UnstructuredGrid
    space: VoxelSpace


@pytest.fixture(scope="module")
def walls(request: pytest.FixtureRequest) -> Walls:
    """A million tetrahedra where something is measured, as in the other benchmark of foreign hearts, a few where not."""
    points, tetrahedra, tags = wall_tetrahedra(1.15 if measured(request) else 3.0)
    mesh = pv.UnstructuredGrid({pv.CellType.TETRA: tetrahedra}, points)
    mesh.cell_data["elemTag"] = tags.astype(np.uint8)
    surface = TaggedSurface(points, *tetra_boundaries(tetrahedra, tags), array="elemTag")
    return Walls(surface, mesh, voxel_space(foreign_heart(surface).volume))


def measured(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--benchmark-enable"))


def drawn() -> Iterator[tuple[Pose, Fans]]:
    """Yield a new pose of the heart and a new hand for every view, without end."""
    template = load_template()
    standard = standard_sectors(template, template.points)
    for seed in count():
        rng = np.random.default_rng(seed)
        pose = Pose(rng.normal(0, 5, 3), rng.normal(0, 10, 3), float(rng.uniform(0.95, 1.05)))
        yield pose, {view: jittered(fan, draw_sector(rng)) for view, fan in standard.items()}


def drawn_phase() -> NDArray:
    return build_heart(draw_heart(np.random.default_rng(1), group="normal")).es


def warped(x: NDArray) -> WarpedLabels:
    rest, size = load_template().mesh.points, len(load_template().points)
    return warp(load_label_volume(), field_grid(GRID_SIDE), x[size:], rest=rest, moved=x[: len(rest)])


def ours(space: VoxelSpace, pose: Pose, fans: Fans) -> dict[View, NDArray]:
    return {view: piece.labels for view, piece in cut_views(PlacedLabels(space, pose, np.zeros(3)), fans, grid=GRID).items()}


Cutter = Callable[[NDArray, NDArray], pv.PolyData]
Filler = Callable[[NDArray, NDArray], NDArray]


def sliced(cutter: Cutter, filler: Filler, pose: Pose, fans: Fans) -> dict[View, NDArray]:
    """Return pictures by cutting the mesh with each plane and filling the triangles of the section."""
    result = {}
    for view, fan in fans.items():
        section = cutter(pose.matrix.T @ fan.normal, unplace(fan.origin, pose, np.zeros(3)))
        back = pose.scale * np.asarray(section.points, float) @ pose.matrix.T + pose.translation
        plane = fan.plane(back)[:, :2] / GRID.pixel_mm + [0.0, GRID.width / 2]
        picture = filler(plane[section.regular_faces], np.asarray(section.cell_data["elemTag"]))
        result[view] = picture * GRID.inside(fan.half_angle, fan.depth)
    return result


def by_slice(mesh: pv.UnstructuredGrid) -> Cutter:
    return lambda normal, origin: mesh.slice(normal=normal, origin=origin, generate_triangles=True)


def by_plane_cutter(mesh: pv.UnstructuredGrid) -> Cutter:
    """Return VTK's own filter for many planes through one mesh; its tree of the cells is built at the first."""
    cutter = vtkPlaneCutter()
    cutter.SetInputData(mesh)
    cutter.GeneratePolygonsOff()
    cutter.ComputeNormalsOff()
    cutter.BuildTreeOn()

    def cut(normal: NDArray, origin: NDArray) -> pv.PolyData:
        plane = vtkPlane()
        plane.SetNormal(*normal)
        plane.SetOrigin(*origin)
        cutter.SetPlane(plane)
        cutter.Update()
        found = pv.wrap(cutter.GetOutputDataObject(0))
        return found if isinstance(found, pv.PolyData) else pv.merge([part for part in found if part is not None])

    return cut


def one_by_one(corners: NDArray, tags: NDArray) -> NDArray:
    """Return the picture of triangles (F, 3, 2) in pixels, filled by OpenCV."""
    picture = np.zeros((GRID.height, GRID.width), np.uint8)
    for triangle, tag in zip(np.rint((corners[..., ::-1] - 0.5) * 256).astype(np.int32), tags.tolist(), strict=True):
        cv2.fillConvexPoly(picture, triangle, tag, cv2.LINE_8, 8)
    return picture


def all_at_once(corners: NDArray, tags: NDArray) -> NDArray:
    """Return the picture of triangles (F, 3, 2) in pixels: every pixel centre in a triangle's box is tried against its three sides."""
    picture = np.zeros((GRID.height, GRID.width), np.uint8)
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5).astype(int), 0, picture.shape)
    sides = np.clip(np.floor(corners.max(axis=1) - 0.5).astype(int) + 1, low, picture.shape) - low
    number = sides.prod(axis=1)
    owner = np.repeat(np.arange(len(corners)), number)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
    pixel = low[owner] + np.stack(np.divmod(place, sides[owner, 1]), axis=1)
    to = corners[owner] - (pixel[:, None] + 0.5)
    turn = to[..., 0] * np.roll(to[..., 1], -1, axis=1) - to[..., 1] * np.roll(to[..., 0], -1, axis=1)
    inside = (turn >= 0).all(axis=1) | (turn <= 0).all(axis=1)
    picture[tuple(pixel[inside].T)] = tags[owner[inside]]
    return picture


def prober(mesh: pv.UnstructuredGrid) -> Callable[[Pose, Fans], dict[View, NDArray]]:
    """Return what looks up the tetrahedron of every pixel in the fans, all views in one call."""
    locator = vtkStaticCellLocator()
    locator.SetDataSet(mesh)
    locator.BuildLocator()

    def probed(pose: Pose, fans: Fans) -> dict[View, NDArray]:
        masks = {view: GRID.inside(fan.half_angle, fan.depth) for view, fan in fans.items()}
        points = np.concatenate([fan.world(GRID.plane_mm()[masks[view]]) for view, fan in fans.items()])
        probe = vtkProbeFilter()
        probe.SetInputData(pv.PolyData(unplace(points, pose, np.zeros(3))))
        probe.SetSourceData(mesh)
        probe.SetCellLocator(locator)
        probe.Update()
        tags = np.asarray(pv.wrap(probe.GetOutput()).point_data["elemTag"])
        result = {view: np.zeros(mask.shape, np.uint8) for view, mask in masks.items()}
        for (view, mask), part in zip(masks.items(), np.split(tags, np.cumsum([m.sum() for m in masks.values()])[:-1]), strict=True):
            result[view][mask] = part
        return result

    return probed


def test_label_volume_of_a_drawn_heart(benchmark: BenchmarkFixture) -> None:
    """To reach: 0.5 s."""
    x = drawn_phase()
    assert benchmark.pedantic(lambda: voxel_space(warped(x)), rounds=5, warmup_rounds=1).side == GRID_SIDE


def test_label_volume_of_a_mesh_of_ours(benchmark: BenchmarkFixture) -> None:
    """To reach: 0.5 s."""
    assert benchmark.pedantic(own_heart, (load_template().mesh,), rounds=3, warmup_rounds=1) is not None


def test_label_volume_of_foreign_walls(benchmark: BenchmarkFixture, walls: Walls) -> None:
    """Voxelised, its chambers found and filled, its landmarks and axes recognised."""
    assert benchmark.pedantic(foreign_heart, (walls.surface,), rounds=2).volumes_ml["lv"] > 0


@pytest.mark.benchmark(group=GROUP)
@pytest.mark.parametrize("kind", ["warped", "plain"])
def test_ours(benchmark: BenchmarkFixture, kind: str) -> None:
    """To reach: 15 ms."""
    space, hands = voxel_space(load_label_volume() if kind == "plain" else warped(drawn_phase())), drawn()
    seen = benchmark.pedantic(lambda pose, fans: ours(space, pose, fans), setup=lambda: (next(hands), {}), rounds=40, warmup_rounds=2)
    assert seen is None or len(seen) == 6


@pytest.mark.benchmark(group=GROUP)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_torch(benchmark: BenchmarkFixture, device: str, request: pytest.FixtureRequest) -> None:
    """Eight hearts in one call: divide by eight for one."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    batch, hands = heart_batch([voxel_space(warped(drawn_phase()))] * (8 if measured(request) else 2), device), drawn()

    def views(grid: PictureGrid) -> NDArray:
        fans = [list(next(hands)[1].values()) for _ in batch.spaces]
        return cut_batch(batch, fans, grid)[0].cpu().numpy()

    start = time.perf_counter()
    assert views(NETWORK_GRID).any()
    benchmark.extra_info["network_raster_ms_per_heart"] = 1000 * (time.perf_counter() - start) / len(batch.spaces)
    assert benchmark.pedantic(views, (GRID,), rounds=5, warmup_rounds=1).shape[1] == 6


def cheapest(work: Callable[[Pose, Fans], object], rounds: int) -> tuple[float, float]:
    """Return the least wall and processor time in ms, the latter whatever else runs."""
    hands, taken = drawn(), []
    for _ in range(rounds):
        pose, fans = next(hands)
        wall, cpu = time.perf_counter(), time.process_time()
        work(pose, fans)
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = (1000 * min(part) for part in zip(*taken, strict=True))
    return wall, cpu


def test_against_pyvista_on_the_same_walls(walls: Walls, request: pytest.FixtureRequest) -> None:
    """To reach: thirty times as fast per pose as the fastest way of slicing and filling; a probe with a ready locator is told too."""
    probed = prober(walls.mesh)
    still = Pose(np.zeros(3), np.zeros(3))
    pose, fans = next(drawn())
    found = ours(walls.space, pose, fans)
    slicer, cutter = by_slice(walls.mesh), by_plane_cutter(walls.mesh)
    ways = [sliced(cut, fill, pose, fans) for cut in (slicer, cutter) for fill in (one_by_one, all_at_once)]
    for other in (*ways, probed(pose, fans)):
        assert tissue_agreement(found, other) > (0.85 if measured(request) else 0.6)
    if not measured(request):
        return
    table = {
        "ours": cheapest(lambda p, f: ours(walls.space, p, f), 30),
        "PyVista, move, slice, fill": cheapest(lambda p, f: sliced(by_slice(moved(walls.mesh, p)), one_by_one, still, f), 2),
        "PyVista, slice, OpenCV": cheapest(lambda p, f: sliced(slicer, one_by_one, p, f), 3),
        "PyVista, slice, NumPy": cheapest(lambda p, f: sliced(slicer, all_at_once, p, f), 3),
        "PyVista, plane cutter, OpenCV": cheapest(lambda p, f: sliced(cutter, one_by_one, p, f), 5),
        "PyVista, plane cutter, NumPy": cheapest(lambda p, f: sliced(cutter, all_at_once, p, f), 5),
        "PyVista, probe": cheapest(probed, 3),
    }
    lines = [f"\n{GROUP}, {walls.mesh.n_cells} tetrahedra: least wall ms, least processor ms, times ours (processor)"]
    lines += [f"{name:32s}{wall:10.1f}{cpu:10.1f}{cpu / table['ours'][1]:8.1f}" for name, (wall, cpu) in table.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    assert min(cpu for name, (_, cpu) in table.items() if name.endswith(("OpenCV", "NumPy"))) >= 30 * table["ours"][1]
    assert table["PyVista, probe"][1] >= 10 * table["ours"][1]


def moved(mesh: pv.UnstructuredGrid, pose: Pose) -> pv.UnstructuredGrid:
    """Return the mesh where a pose takes it."""
    result = mesh.copy(deep=False)
    result.points = place(np.asarray(mesh.points, float), pose, np.zeros(3))
    return result


def tissue_agreement(one: dict[View, NDArray], other: dict[View, NDArray]) -> float:
    """Return the share of equal pixels among those that both show as tissue or blood; the tetrahedra have no blood."""
    same = [(one[view] == other[view])[(other[view] > 0) & (one[view] > 0)] for view in View]
    return float(np.concatenate(same).mean())
