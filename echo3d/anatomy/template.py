"""The shipped template heart, its label volume and the raster that fields live on."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.core.field import FieldGrid, LabelVolume
from echo3d.core.mesh import HeartMesh, Template, region_faces
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.errors import ModelError
from echo3d.paths import resource


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Return the shipped template, read once.

    Raises
    ------
    ModelError
        If the resource is missing or damaged.
    """
    return read_template(resource("template/template.npz"))


def read_template(path: Path) -> Template:
    """Read a template file as ``training.template`` writes it."""
    data = read_arrays(path)
    points, faces, sides = data["points"].astype(float), data["faces"].astype(np.int32), data["sides"]
    count = int(faces.max()) + 1
    return Template(
        name="rodero-mean-1",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        points=points,
        mesh=HeartMesh(points[:count], faces, wall_tags(sides)),
        sides=sides,
        cavities={key: region_faces(faces, sides, label) for key, label in CHAMBER_KEYS.items()},
        landmarks={str(name): count + i for i, name in enumerate(data["landmark_names"])},
        aha=data["aha"],
    )


def read_arrays(path: Path) -> dict[str, NDArray]:
    """Return the arrays of an .npz resource, nothing pickled."""
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (OSError, ValueError) as exc:
        raise ModelError(f"the resource {path.name} must be readable; reinstall echo3d or rebuild it ({type(exc).__name__})") from exc


def wall_tags(sides: NDArray) -> NDArray[np.uint8]:
    """Return for each face the tissue it shows: the wall's tag where blood or nothing lies on the other side.

    >>> wall_tags(np.array([[1, 101], [0, 2], [7, 1]], dtype=np.uint8)).tolist()
    [1, 2, 7]
    """
    tissue = np.where((sides > 0) & (sides < 100), sides, 0)
    return np.where(tissue.max(axis=1) > 0, tissue.max(axis=1), sides.max(axis=1)).astype(np.uint8)


@lru_cache(maxsize=1)
def load_label_volume() -> LabelVolume:
    """Return the template's label volume (tags 1-24, blood 101-106), 1 mm voxels."""
    data = read_arrays(resource("template/labels.npz"))
    return LabelVolume(data["labels"], data["affine"])


@lru_cache(maxsize=1)
def template_box() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return low and high corner (3,) in mm of the box in which hearts are drawn: the template's with 18 mm to each side."""
    points = load_template().points
    return points.min(axis=0) - 18.0, points.max(axis=0) + 18.0


@lru_cache(maxsize=4)
def field_grid(side: int) -> FieldGrid:
    """Return the raster of ``side``³ nodes over the template's box."""
    return FieldGrid(*template_box(), side)
