"""Bodies read from any unit and axes; bad files refused in one sentence."""

from __future__ import annotations

import itertools
import json
import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.core.mesh import enclosed_ml
from echo3d.errors import InputError
from echo3d.io.bodies import UNITS_MM, read_body, recognised
from echo3d.io.glb import Part, write_glb
from echo3d.io.gltf_read import read_glb
from echo3d.io.obj_read import read_obj


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> tuple[NDArray, NDArray]:
    """Return a box with outward normals, each side cut into 8 x 8 squares."""
    import pyvista as pv

    mesh = pv.Box((low[0], high[0], low[1], high[1], low[2], high[2]), level=8).triangulate().clean()
    points, faces = np.asarray(mesh.points, float), np.asarray(mesh.regular_faces)
    return points, faces if enclosed_ml(points, faces) > 0 else faces[:, ::-1]


@lru_cache(maxsize=1)
def manikin() -> tuple[NDArray, NDArray]:
    """Return a person of boxes in LPS mm: two legs with feet to the front, trunk, two arms, neck, head; 1.7 m high."""
    boxes = [
        *(box((side * 100 - 60, -60, 0), (side * 100 + 60, 60, 800)) for side in (-1, 1)),
        *(box((side * 100 - 50, -200, 0), (side * 100 + 50, 60, 60)) for side in (-1, 1)),
        *(box((side * 270 - 50, -50, 700), (side * 270 + 50, 50, 1350)) for side in (-1, 1)),
        box((-170, -120, 800), (170, 110, 1400)),
        box((-55, -40, 1400), (55, 70, 1500)),
        box((-75, -110, 1500), (75, 90, 1700)),
    ]
    starts = np.cumsum([0, *(len(points) for points, _ in boxes)])
    return np.concatenate([p for p, _ in boxes]), np.concatenate([f + s for (_, f), s in zip(boxes, starts, strict=False)])


def turns() -> list[NDArray]:
    """Return the 24 rotations that bring axes onto axes."""
    found = []
    for order, signs in itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)):
        matrix = np.zeros((3, 3))
        matrix[range(3), order] = signs
        if np.linalg.det(matrix) > 0:
            found.append(matrix)
    return found


@pytest.mark.parametrize("unit", list(UNITS_MM))
def test_unit_and_all_axes_are_recognised(unit: str) -> None:
    points, faces = manikin()
    for turn in turns():
        found = recognised(points @ turn.T / UNITS_MM[unit], faces)
        assert found.unit == unit
        np.testing.assert_allclose(found.affine[:3, :3] @ turn / UNITS_MM[unit], np.eye(3), atol=1e-9)
        np.testing.assert_allclose(found.mesh.points, points, atol=1e-6)


@pytest.mark.parametrize("unit", list(UNITS_MM))
def test_a_trunk_without_head_arms_and_legs_is_recognised(unit: str) -> None:
    trunk, neck = box((-170, -130, 0), (170, 110, 600)), box((-55, -40, 600), (55, 80, 700))
    points, faces = np.concatenate([trunk[0], neck[0]]), np.concatenate([trunk[1], neck[1] + len(trunk[0])])
    for turn in turns():
        found = recognised(points @ turn.T / UNITS_MM[unit], faces)
        np.testing.assert_allclose(found.mesh.points, points, atol=1e-6)


def test_what_was_recognised_is_stated() -> None:
    points, faces = manikin()
    found = recognised(points[:, [0, 2, 1]] * np.array([1, 1, -1]) / 1000, faces[:, ::-1], part="skin")
    assert found.stated == "Read as a body: part 'skin', unit m, head towards +y, face towards +z, triangles wound inwards."
    assert enclosed_ml(found.mesh.points, found.mesh.faces) > 0


def test_what_is_no_body_is_refused() -> None:
    with pytest.raises(InputError, match="longer than deep"):
        recognised(*box((0, 0, 0), (300, 300, 300)))
    points, faces = manikin()
    with pytest.raises(InputError, match="35 to 230 cm"):
        recognised(points * 100, faces)
    with pytest.raises(InputError, match="100 or more triangles"):
        recognised(points, faces[:50])


def test_glb_nodes_keep_their_names_and_places(tmp_path: Path) -> None:
    points, faces = box((0, 0, 0), (1, 2, 3))
    path = tmp_path / "two.glb"
    write_glb(path, [Part("skin", (1, 2, 3), 1000 * points, faces), Part("bone", (1, 2, 3), 2000 * points, faces)])
    nodes = read_glb(path)
    assert list(nodes) == ["skin", "bone"]
    np.testing.assert_allclose(nodes["bone"][0], 2 * points[:, [0, 2, 1]] * np.array([1, 1, -1]), rtol=1e-6)
    np.testing.assert_array_equal(nodes["bone"][1], faces)


def edited(path: Path, change: dict) -> Path:
    """Return a copy of a GLB file whose first node has further properties."""
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    document["nodes"][0] |= change
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + size :]
    other = path.with_name("edited.glb")
    other.write_bytes(
        struct.pack("<III", 0x46546C67, 2, 20 + len(text) + len(rest)) + struct.pack("<II", len(text), 0x4E4F534A) + text + rest
    )
    return other


def test_glb_nodes_are_moved_turned_and_mirrored(tmp_path: Path) -> None:
    points, faces = box((0, 0, 0), (1, 2, 3))
    path = tmp_path / "one.glb"
    write_glb(path, [Part("skin", (1, 2, 3), 1000 * points, faces)])
    plain = read_glb(path)["skin"][0]
    half = float(np.sqrt(0.5))
    turned = read_glb(edited(path, {"rotation": [0, 0, half, half], "translation": [5, 0, 0], "scale": [2, 2, 2]}))["skin"][0]
    np.testing.assert_allclose(turned, 2 * plain[:, [1, 0, 2]] * np.array([-1, 1, 1]) + np.array([5, 0, 0]), atol=1e-5)
    mirrored = read_glb(edited(path, {"matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}))["skin"]
    assert enclosed_ml(*mirrored) == pytest.approx(enclosed_ml(points, faces))


def test_obj_groups_are_kept_apart_and_helpers_left_out(tmp_path: Path) -> None:
    path = tmp_path / "body.obj"
    path.write_text(
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 9 9 9\ng body\nf 1/1/1 2/2 3//1 4\ng helper-hair\nf 1 2 5\ng joint-knee\nf 1 2 -1\n"
    )
    parts = read_obj(path)
    assert list(parts) == ["body"]
    assert parts["body"][1].tolist() == [[0, 1, 2], [0, 2, 3]]
    assert len(parts["body"][0]) == 4


BAD = {
    "text.glb": b"hello, this is no GLB file",
    "empty.glb": b"",
    "cut.glb": struct.pack("<III", 0x46546C67, 2, 5000) + b"\0" * 30,
    "broken.glb": struct.pack("<III", 0x46546C67, 2, 24) + struct.pack("<II", 4, 0x4E4F534A) + b"{{{{",
    "nothing.glb": struct.pack("<III", 0x46546C67, 2, 44) + struct.pack("<II", 24, 0x4E4F534A) + b'{"nodes":[],"scenes":[]}',
    "text.obj": b"hello",
    "word.obj": b"v 0 0 zero\nf 1 1 1\n",
    "beyond.obj": b"v 0 0 0\nf 1 2 3\n",
    "none.obj": b"v 0 0 0\n",
    "body.docx": b"PK",
    "text.vtp": b"hello",
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises(InputError) as caught:
        read_body(path)
    message = str(caught.value)
    assert ";" in message
    assert "found" in message
    assert str(tmp_path) not in message


def test_damaged_glb_files_are_refused_or_read(tmp_path: Path) -> None:
    """Any byte may be wrong, any end may be missing: a sentence or a body, never another error."""
    path, rng = tmp_path / "whole.glb", np.random.default_rng(0)
    points, faces = manikin()
    write_glb(path, [Part("skin", (1, 2, 3), points, faces)])
    data = path.read_bytes()
    header = 20 + struct.unpack_from("<I", data, 12)[0]
    refused = 0
    for turn in range(240):
        broken = bytearray(data)
        for _ in range(3):
            broken[int(rng.integers(header if turn % 3 else len(data)))] = int(rng.integers(256))
        (tmp_path / "broken.glb").write_bytes(broken[: int(rng.integers(len(data)))] if turn % 5 == 0 else broken)
        try:
            assert np.isfinite(read_body(tmp_path / "broken.glb").mesh.points).all()
        except InputError:
            refused += 1
    assert 60 < refused < 240


def test_missing_files_are_refused(tmp_path: Path) -> None:
    for suffix in (".glb", ".obj", ".vtp"):
        with pytest.raises(InputError, match="found none"):
            read_body(tmp_path / f"absent{suffix}")


@pytest.mark.parametrize(
    ("name", "recognised_as", "height"),
    [
        ("visible_human_male/VH_M_Skin.glb", ("VH_M_skin", "m", "+y", "+z", "outwards"), 1830),
        ("makehuman/base.obj", ("body", "dm", "+y", "+z", "outwards"), 1666),
        ("smpl_mean/human_man.obj", ("", "m", "+y", "+z", "outwards"), 1791),
        ("smpl_mean/human_neutral.obj", ("", "m", "+y", "+z", "outwards"), 1721),
        ("vtk_torso/Torso.vtp", ("", "mm", "+z", "-y", "outwards"), 735),
    ],
)
def test_shared_bodies_are_recognised(shared: Path, name: str, recognised_as: tuple[str, ...], height: float) -> None:
    found = read_body(shared / "data/bodies" / name)
    assert (found.part, found.unit, found.up, found.front, found.winding) == recognised_as
    assert np.ptp(found.mesh.points[:, 2]) == pytest.approx(height, abs=1)
