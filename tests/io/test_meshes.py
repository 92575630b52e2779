"""Hearts written and read back; bad files refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from echo3d.core.mesh import HeartMesh, enclosed_ml
from echo3d.errors import InputError
from echo3d.io.meshes import export_mesh, read_mesh, write_vtp

CORNERS = 10.0 * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
TETRA = HeartMesh(CORNERS, [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], [1, 1, 2, 102])


def test_vtp_keeps_points_faces_labels_and_arrays(tmp_path: Path) -> None:
    path = tmp_path / "heart.vtp"
    write_vtp(path, TETRA, {"sigma_mm": np.arange(4.0)})
    back = read_mesh(path)
    assert np.array_equal(back.points, TETRA.points)
    assert np.array_equal(back.faces, TETRA.faces)
    assert np.array_equal(back.labels, TETRA.labels)
    assert pv.read(path).point_data["sigma_mm"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("suffix", [".vtk", ".vtp", ".stl", ".ply", ".obj"])
def test_every_format_keeps_the_volume(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"heart{suffix}"
    export_mesh(path, TETRA)
    back = read_mesh(path)
    assert len(back.faces) == 4
    assert enclosed_ml(back.points, back.faces) == pytest.approx(1 / 6)


def test_glb_is_metres_with_one_part_per_structure(tmp_path: Path) -> None:
    path = tmp_path / "heart.glb"
    export_mesh(path, TETRA)
    blocks = pv.read(path)
    merged = blocks.combine().extract_surface(algorithm="dataset_surface")
    assert merged.n_cells == 4
    assert merged.bounds == pytest.approx((0, 0.01, 0, 0.01, -0.01, 0))
    assert all(title.encode() in path.read_bytes() for title in ("LV myocardium", "RV myocardium", "RV cavity"))


def test_polygons_become_triangles(tmp_path: Path) -> None:
    path = tmp_path / "square.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n")
    assert len(read_mesh(path).faces) == 2


BAD = {
    "text.vtp": b"hello",
    "text.stl": b"hello",
    "text.ply": b"hello",
    "text.obj": b"hello",
    "text.vtk": b"hello",
    "empty.stl": b"",
    "huge.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\nend_header\n",
    "huge.stl": b"\0" * 80 + b"\xff\xff\xff\x7f" + b"\0" * 50,
    "points.obj": b"v 0 0 0\nv 1 0 0\n",
    "cut.vtp": b'<?xml version="1.0"?>\n<VTKFile type="PolyData"><PolyData><Piece NumberOfPoints="4"',
    "wild.obj": b"v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n",
    "mesh.docx": b"PK",
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises(InputError) as caught:
        read_mesh(path)
    message = str(caught.value)
    assert "found" in message
    assert ";" in message
    assert str(tmp_path) not in message
    assert str(tmp_path) not in capfd.readouterr().err


def test_missing_and_unknown_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found none"):
        read_mesh(tmp_path / "absent.vtp")
    with pytest.raises(InputError, match="one of"):
        export_mesh(tmp_path / "heart.docx", TETRA)


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="the superuser may read everything")
def test_unreadable_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "heart.stl"
    export_mesh(path, TETRA)
    path.chmod(0)
    with pytest.raises(InputError, match="permission"):
        read_mesh(path)
