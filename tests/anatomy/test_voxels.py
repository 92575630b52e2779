"""Surfaces to voxels: volumes that are known."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from echo3d.anatomy.voxels import closed, filled, grid_around, is_closed, pieces, solid, touched


def arrays(surface: pv.PolyData) -> tuple[np.ndarray, np.ndarray]:
    whole = surface.triangulate()
    return np.asarray(whole.points, float), np.asarray(whole.regular_faces)


def ball(radius: float, centre: tuple[float, float, float] = (0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
    return arrays(pv.Sphere(radius=radius, center=centre, theta_resolution=120, phi_resolution=120))


def joined(*surfaces: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(points) for points, _ in surfaces)])
    return np.concatenate([p for p, _ in surfaces]), np.concatenate([f + s for (_, f), s in zip(surfaces, starts, strict=False)])


def test_a_ball_has_its_volume() -> None:
    points, faces = ball(30)
    mask = filled(points, faces, grid_around(points, 1.0))
    assert mask.sum() == pytest.approx(4 / 3 * np.pi * 30**3, rel=0.003)
    assert not mask[0].any() and not mask[..., -1].any()


def test_a_cube_between_voxel_centres_is_exact() -> None:
    points, faces = arrays(pv.Box((0.5, 10.5, 0.5, 20.5, 0.5, 30.5)))
    grid = grid_around(np.array([[-0.0, 0, 0], [40, 40, 40]]), 1.0, 5.0)
    assert filled(points, faces, grid).sum() == 10 * 20 * 30


def test_an_inner_skin_is_a_hole_and_an_overlap_is_not() -> None:
    shell = joined(ball(30), ball(20))
    assert solid(*shell, grid_around(shell[0], 1.0)).sum() == pytest.approx(4 / 3 * np.pi * (30**3 - 20**3), rel=0.01)
    left, right = ball(20), ball(20, (20, 0, 0))
    both = joined(left, right)
    lens = np.pi * (2 * 20 - 20) ** 2 * (20**2 + 4 * 20 * 20) / (12 * 20)
    assert solid(*both, grid_around(both[0], 1.0)).sum() == pytest.approx(8 / 3 * np.pi * 20**3 - lens, rel=0.01)
    island = joined(ball(30), ball(20), ball(10))
    wanted = 4 / 3 * np.pi * (30**3 - 20**3 + 10**3)
    assert solid(*island, grid_around(island[0], 1.0)).sum() == pytest.approx(wanted, rel=0.01)


def test_an_open_bowl_is_closed_flat() -> None:
    bowl = pv.Sphere(radius=30, theta_resolution=90, phi_resolution=90, end_phi=90)
    points, faces = arrays(bowl)
    assert is_closed(closed(points, faces)[1])
    mask = filled(*closed(points, faces), grid_around(points, 1.0))
    assert mask.sum() == pytest.approx(2 / 3 * np.pi * 30**3, rel=0.02)


def test_coincident_points_are_joined() -> None:
    points, faces = ball(10)
    apart = points[faces].reshape(-1, 3)
    assert not is_closed(np.arange(len(apart)).reshape(-1, 3))
    assert is_closed(closed(apart, np.arange(len(apart)).reshape(-1, 3))[1])


def test_a_sheet_thinner_than_a_voxel_has_no_hole() -> None:
    points, faces = arrays(pv.Plane(center=(0, 0, 0.3), direction=(0.3, 0.2, 1), i_size=40, j_size=40, i_resolution=2, j_resolution=2))
    grid = grid_around(points, 1.0)
    sheet = touched(points, faces, grid)
    assert sheet.any(axis=2)[12:-12, 12:-12].all()


def test_pieces_are_sorted_and_scraps_come_as_one() -> None:
    points, faces = joined(ball(10), ball(20, (50, 0, 0)), *[arrays(pv.Triangle()) for _ in range(3)])
    found = pieces(faces)
    assert len(found) == 3
    assert [len(piece) for piece in found[1:]] == [len(ball(10)[1]), 3]
