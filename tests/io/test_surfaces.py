"""Tagged meshes of every format: written and read back, named, tagged; damaged ones refused in one sentence."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from echo3d.core.mesh import HeartMesh, enclosed_ml
from echo3d.core.structures import Structure
from echo3d.errors import InputError
from echo3d.io.mesh_claims import READABLE
from echo3d.io.meshes import export_mesh, read_mesh
from echo3d.io.surfaces import read_surface


def cube(start: float, tag: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    box = pv.Box((start, start + 10, 0, 10, 0, 10)).triangulate()
    return np.asarray(box.points, float), np.asarray(box.regular_faces), np.full(box.n_cells, tag)


def two_cubes() -> HeartMesh:
    """Two cubes of 1 ml side by side: LV muscle and RV muscle."""
    (a, fa, ta), (b, fb, tb) = cube(0, 1), cube(20, 2)
    return HeartMesh(np.concatenate([a, b]), np.concatenate([fa, fb + len(a)]), np.concatenate([ta, tb]))


def volumes(path: Path) -> dict[str, float]:
    """Return the volume of each part of a file, in ml of its own unit, by tag and by name."""
    surface = read_surface(path)
    by_tag = {int(tag): enclosed_ml(surface.points, surface.part(int(tag))) for tag in np.unique(surface.tags)}
    return {surface.names.get(tag, str(tag)): round(volume, 6) for tag, volume in by_tag.items()}


def test_every_written_format_comes_back_with_its_tags(tmp_path: Path) -> None:
    titles = {Structure.LV_MYOCARDIUM.title: 1.0, Structure.RV_MYOCARDIUM.title: 1.0}
    told = {
        ".vtp": {"1": 1.0, "2": 1.0},
        ".vtk": {"1": 1.0, "2": 1.0},
        ".ply": {"1": 1.0, "2": 1.0},
        ".obj": titles,
        ".glb": dict.fromkeys(titles, 1e-9),
        ".stl": {"0": 2.0},
    }
    for suffix, expected in told.items():
        path = tmp_path / f"heart{suffix}"
        export_mesh(path, two_cubes())
        assert volumes(path) == pytest.approx(expected, abs=1e-6), suffix
        assert enclosed_ml(read_mesh(path).points, read_mesh(path).faces) == pytest.approx(2.0, rel=1e-5), suffix


def tetrahedra(tag_on_points: bool = False) -> pv.UnstructuredGrid:
    """Two cubes of 1 ml as tetrahedra, tagged 3 and 7."""
    grids = [pv.ImageData(dimensions=(3, 3, 3), spacing=(5, 5, 5), origin=(20 * k, 0, 0)).to_tetrahedra(6) for k in range(2)]
    grid = grids[0].merge(grids[1])
    tags = np.where(grid.cell_centers().points[:, 0] < 15, 3, 7)
    if tag_on_points:
        grid.point_data["elemTag"] = np.where(grid.points[:, 0] < 15, 3, 7)
    else:
        grid.cell_data["elemTag"] = tags.astype(np.int32)
    return grid


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("suffix", [".vtk", ".vtu"])
@pytest.mark.parametrize("tag_on_points", [True, False])
def test_tetrahedra_become_the_closed_surface_of_each_tag(tmp_path: Path, suffix: str, binary: bool, tag_on_points: bool) -> None:
    path = tmp_path / f"case_001{suffix}"
    tetrahedra(tag_on_points).save(path, binary=binary)
    assert volumes(path) == {"3": 1.0, "7": 1.0}


def test_other_cells_are_cut_into_tetrahedra(tmp_path: Path) -> None:
    grid = pv.ImageData(dimensions=(3, 3, 3), spacing=(5, 5, 5)).cast_to_unstructured_grid()
    grid.cell_data["elemTag"] = np.full(8, 5)
    grid.save(tmp_path / "bricks.vtu")
    assert volumes(tmp_path / "bricks.vtu") == {"5": 1.0}


def test_the_published_header_by_hand(tmp_path: Path) -> None:
    """One tetrahedron with its corners the wrong way round, as the cohort's files are laid out."""
    path = tmp_path / "full_heart_mesh_007.vtk"
    path.write_text(
        "# vtk DataFile Version 3.0\nheart\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS 4 float\n0 0 0\n10 0 0\n0 10 0\n0 0 10\n"
        "CELLS 1 5\n4 0 2 1 3\nCELL_TYPES 1\n10\nCELL_DATA 1\nSCALARS elemTag int 1\nLOOKUP_TABLE default\n8\n"
    )
    assert volumes(path) == {"8": pytest.approx(1 / 6, abs=1e-6)}


def test_groups_of_an_obj_that_come_twice_are_one(tmp_path: Path) -> None:
    path = tmp_path / "groups.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\ng LV\nf 1 2 3\ng RV endo\nf 1 2 3 4\ng LV\nf 1 3 4\n")
    surface = read_surface(path)
    assert surface.array == "names"
    assert {surface.names[int(tag)]: int((surface.tags == tag).sum()) for tag in np.unique(surface.tags)} == {"LV": 2, "RV endo": 2}


def test_solids_of_an_stl_keep_their_names(tmp_path: Path) -> None:
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 {z}\nvertex 1 0 {z}\nvertex 0 1 {z}\nendloop\nendfacet\n"
    path = tmp_path / "solids.stl"
    path.write_text("".join(f"solid {name}\n{facet.format(z=z)}endsolid {name}\n" for z, name in enumerate(["LV wall", "left atrium"])))
    assert sorted(read_surface(path).names.values()) == ["LV wall", "left atrium"]


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_ply_keeps_face_numbers_polygons_and_any_byte_order(tmp_path: Path, order: str) -> None:
    head = (
        f"ply\nformat {order} 1.0\ncomment by hand\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "property uchar red\nelement face 2\nproperty list uchar int vertex_index\nproperty short elemTag\nend_header\n"
    )
    points = [(0, 0, 0, 9), (1, 0, 0, 9), (1, 1, 0, 9), (0, 1, 0, 9)]
    faces = [((0, 1, 2), 7), ((0, 1, 2, 3), 11)]
    path = tmp_path / "faces.ply"
    if order == "ascii":
        rows = [" ".join(map(str, row)) for row in points] + [f"{len(c)} {' '.join(map(str, c))} {tag}" for c, tag in faces]
        path.write_text(head + "\n".join(rows) + "\n")
    else:
        mark = "<" if "little" in order else ">"
        body = b"".join(struct.pack(f"{mark}fffB", *row) for row in points)
        body += b"".join(struct.pack(f"{mark}B{len(c)}ih", len(c), *c, tag) for c, tag in faces)
        path.write_bytes(head.encode() + body)
    surface = read_surface(path)
    assert surface.tags.tolist() == [7, 11, 11]
    assert surface.points[2].tolist() == [1, 1, 0]


def test_the_array_is_chosen_and_can_be_named(tmp_path: Path) -> None:
    mesh = pv.Sphere(radius=10)
    mesh.cell_data["class"] = np.arange(mesh.n_cells) % 3
    mesh.cell_data["thickness"] = np.linspace(0, 1, mesh.n_cells)
    mesh.cell_data["other"] = np.arange(mesh.n_cells) % 5
    path = tmp_path / "arrays.vtp"
    mesh.save(path)
    assert read_surface(path).array == "class"
    assert len(np.unique(read_surface(path, "other").tags)) == 5
    for name, told in (("thickness", "whole numbers"), ("elemTag", "class"), ("Normals", "one number")):
        with pytest.raises(InputError, match=told):
            read_surface(path, name)


def test_points_tags_are_those_of_two_corners(tmp_path: Path) -> None:
    mesh = pv.PolyData.from_regular_faces(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]), [[0, 1, 2], [1, 2, 3]])
    mesh.point_data["RegionId"] = np.array([4.0, 4.0, 2.0, 2.0])
    mesh.save(tmp_path / "regions.vtp")
    assert read_surface(tmp_path / "regions.vtp").tags.tolist() == [4, 2]


def test_files_of_ours_say_so(tmp_path: Path) -> None:
    export_mesh(tmp_path / "heart.vtp", two_cubes())
    assert read_surface(tmp_path / "heart.vtp").convention == "lps"
    export_mesh(tmp_path / "heart.glb", two_cubes())
    assert read_surface(tmp_path / "heart.glb").convention == "gltf"


def written(folder: Path, name: str) -> Path:
    """Write two cubes in the format of a name such as "ascii.vtk"."""
    path = folder / name
    if path.suffix == ".vtu" or name.startswith("tetra"):
        tetrahedra().save(path, binary="ascii" not in name)
    elif name.startswith("ascii"):
        surface = pv.Sphere(radius=10)
        surface.cell_data["elemTag"] = np.ones(surface.n_cells, np.int32)
        surface.save(path, binary=False)
    else:
        export_mesh(path, two_cubes())
    return path


FORMATS = ("a.vtp", "a.vtk", "ascii.vtk", "tetra.vtk", "tetra_ascii.vtk", "tetra.vtu", "a.ply", "ascii.ply", "a.stl", "ascii.stl", "a.glb")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.65, 0.8, 0.9, 0.97])
def test_half_a_file_is_refused(tmp_path: Path, name: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, name)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(path, capfd)


def refused(path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(InputError) as caught:
        read_surface(path)
    message = str(caught.value)
    assert "found" in message and ";" in message and "\n" not in message
    assert str(path.parent) not in message
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    return message


def glb_claiming(count: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        export_mesh(path, two_cubes())
        data = path.read_bytes()
        length = int.from_bytes(data[12:16], "little")
        document = json.loads(data[20 : 20 + length])
        document["accessors"][0]["count"] = count
        text = json.dumps(document).encode()
        text += b" " * (-len(text) % 4)
        body = data[20 + length :]
        head = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text) + len(body), len(text), 0x4E4F534A)
        path.write_bytes(head + text + body)

    return write


HUGE: dict[str, bytes] = {
    "points.vtk": b"# vtk DataFile Version 3.0\nh\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS 1000000000 float\n0 0 0\n",
    "cells.vtk": b"# vtk DataFile Version 3.0\nh\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS 1 float\n0 0 0\nCELLS 1000000000 5000000000\n",
    "binary.vtk": b"# vtk DataFile Version 3.0\nh\nBINARY\nDATASET POLYDATA\nPOINTS 1000000000 double\n" + bytes(64),
    "cells.vtu": b'<VTKFile type="UnstructuredGrid"><UnstructuredGrid><Piece NumberOfPoints="4" NumberOfCells="1000000000">',
    "points.vtp": b'<VTKFile type="PolyData"><PolyData><Piece NumberOfPoints="1000000000" NumberOfPolys="4">',
    "faces.ply": b"ply\nformat ascii 1.0\nelement vertex 1\nelement face 1000000000\nend_header\n",
    "facets.stl": bytes(80) + (10**9).to_bytes(4, "little") + bytes(50),
}


@pytest.mark.parametrize("name", sorted(HUGE))
def test_a_milliard_of_anything_in_a_header_is_refused(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(HUGE[name])
    refused(path, capfd)


def test_a_milliard_in_a_glb_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    glb_claiming(10**9)(tmp_path / "a.glb")
    assert "1000000000" in refused(tmp_path / "a.glb", capfd)


BAD: dict[str, bytes] = {
    "nan.vtk": b"# vtk DataFile Version 3.0\nh\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0\n1 0 0\n0 nan 0\nPOLYGONS 1 4\n3 0 1 2\n",
    "image.vtk": b"# vtk DataFile Version 3.0\nh\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 2 2 2\n",
    "points.vtk": b"# vtk DataFile Version 3.0\nh\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0\n1 0 0\n0 1 0\n",
    "nan.ply": b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\n"
    b"property list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 inf 0\n3 0 1 2\n",
    "corner.ply": b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\n"
    b"property list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n",
    "type.ply": b"ply\nformat ascii 1.0\nelement vertex 3\nproperty quaternion x\nend_header\n",
    "json.glb": struct.pack("<4sII", b"glTF", 2, 24) + struct.pack("<II", 4, 0x4E4F534A) + b"[1,]",
    "text.vtu": b"hello",
    "text.glb": b"hello",
    "mesh.docx": b"PK",
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_damaged_files_are_refused(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    refused(path, capfd)


def test_every_readable_suffix_is_tried() -> None:
    tried = {Path(name).suffix for name in FORMATS} | {".obj"}
    assert tried == set(READABLE)


def test_shared_meshes_are_read_with_their_names(shared: Path) -> None:
    hearts, bodies = shared / "data/hearts", shared / "data/bodies"
    glb = read_surface(hearts / "visible_human_male/VH_M_Heart.glb")
    assert len(glb.names) == 14
    assert "VH_M_mitral_valve" in glb.names.values()
    assert read_surface(hearts / "cobiveco_geo1/heart.vtp").array == "class"
    assert read_surface(hearts / "heartdeformnets_templates/wh_template.vtp").array == "RegionId"
    body = read_surface(bodies / "makehuman/base.obj")
    assert "body" in body.names.values()
    assert len(read_surface(hearts / "bivme_patient1/fitted/patient1_LV_ENDOCARDIAL_000.vtk").faces) == 3072


def test_texture_seams_do_not_tear_an_obj_apart(tmp_path: Path) -> None:
    """Corners with a texture place of their own for each face are the same corners all the same."""
    points, faces, _ = cube(0, 1)
    lines = [f"v {x} {y} {z}" for x, y, z in points]
    lines += [f"vt 0.{k} 0" for k in range(3 * len(faces))]
    lines += ["f " + " ".join(f"{corner + 1}/{3 * k + i + 1}" for i, corner in enumerate(face)) for k, face in enumerate(faces)]
    (tmp_path / "cube.obj").write_text("\n".join(lines) + "\n")
    surface = read_surface(tmp_path / "cube.obj")
    assert len(surface.points) == len(points)
    assert enclosed_ml(surface.points, surface.faces) == pytest.approx(1.0)


DAMAGED_OBJ = ("v 0 0 0\nv 1 0 0\nf 1 2 3\n", "v 0 0 zero\nf 1 1 1\n", "v 0 0 0\nv 1 0 0\nv 0 1 0\n", "v 0 0\nf 1 1 1\n")


@pytest.mark.parametrize("text", DAMAGED_OBJ)
def test_damaged_obj_files_are_refused(tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.obj").write_text(text)
    refused(tmp_path / "a.obj", capfd)
