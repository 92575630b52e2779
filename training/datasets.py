"""What training reads of a data set of ``echo3d dataset generate``: keys and raster are those of the shards of ``training.samples``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.core.sector import PictureGrid
from echo3d.core.views import View
from echo3d.dataset.files import read_arrays
from echo3d.dataset.folder import MANIFEST
from echo3d.dataset.manifest import read_manifest
from echo3d.errors import InputError
from echo3d.reconstruction.raster import NETWORK_GRID
from training.data import KEYS, Shards, chance_of

SIDES = ("train", "validation")


def open_samples(folder: Path, without: str | None = None, styles: tuple[str, ...] = ()) -> Shards:
    """Return the samples to train on of a data set or of ``training.samples``' folder.

    Parameters
    ----------
    folder : either of these
    without : a law of motion whose hearts are left out
    styles : what ``training.styles`` drew the pictures of a samples' folder in; a data set has its own
    """
    if (folder / MANIFEST).is_file():
        return read_dataset(folder, without=without)
    shards = Shards(folder, without=without, styles=styles)
    shards.refresh()
    return shards


def read_dataset(folder: Path, side: str = "train", *, limit: int = 40_000, without: str | None = None) -> Shards:
    """Return one side of a data set as shards, one for each heart, ED and ES of each hand in turn.

    Parameters
    ----------
    folder : a finished data set of pictures, of both phases and all six views; another raster is brought onto the network's
    side : one of ``SIDES``
    limit : most samples kept
    without : a law of motion whose hearts are left out

    Raises
    ------
    InputError
        If there is no such data set or training cannot use it.
    """
    if side not in SIDES:
        raise InputError(f"a side of the split must be {' or '.join(SIDES)}, found {side[:40]!r}; choose one of these")
    about = read_manifest(folder)
    grid = _usable(about)
    shards = Shards(folder, limit)
    for heart in about["files"]:
        law = (heart["record"] or {}).get("beat", {}).get("family")
        if heart["split"] == side and len(shards) < limit and (without is None or law != without):
            part = _part(folder / heart["file"], grid)
            group = (heart["record"] or {}).get("group")
            shards.parts.append(part | {"chance": chance_of([group]).repeat(len(part["field"]))})
    return shards


def _usable(about: Mapping[str, Any]) -> PictureGrid:
    """Return the raster of a data set, or refuse it."""
    if about["stage"] == "labels":
        raise InputError("a data set to train on must hold pictures, found labels only; generate it with --stage echo or pseudo")
    if about["phases"] != ["ed", "es"] or about["views"] != [view.key for view in View]:
        raise InputError("a data set to train on must hold both phases and all six views, found fewer; generate it with all of them")
    return PictureGrid(about["height"], about["width"], about["pixel_mm"])


def _part(path: Path, grid: PictureGrid) -> dict[str, NDArray]:
    """Return one heart's samples by the keys of shards."""
    names = {"echo": "image"}
    stored = read_arrays(path, tuple(names.get(key, key) for key in KEYS))
    part = {key: stored[names.get(key, key)] for key in KEYS}
    return part if grid == NETWORK_GRID else part | _onto_network(part, grid)


def _onto_network(part: Mapping[str, NDArray], grid: PictureGrid) -> dict[str, NDArray]:
    """Return pictures and labels (S, V, H, W) of another raster on the network's; both have the fan's tip amid the upper edge."""
    index = place_in(grid)
    fans = part["fans"].reshape(-1, 2)
    inside = np.stack([NETWORK_GRID.inside(*map(float, fan)) for fan in fans])
    blur = max(0.0, 0.4 * NETWORK_GRID.pixel_mm / grid.pixel_mm - 0.4)
    found = {}
    for key, order in (("echo", 1), ("labels", 0)):
        pictures = part[key].reshape(-1, grid.height, grid.width)
        if order:
            pictures = ndimage.gaussian_filter(pictures.astype(np.float32), (0, blur, blur))
        moved = [ndimage.map_coordinates(picture, index, order=order, mode="constant") for picture in pictures]
        flat = np.where(inside, np.rint(moved), 0).astype(np.uint8)
        found[key] = flat.reshape(*part[key].shape[:2], NETWORK_GRID.height, NETWORK_GRID.width)
    return found


def place_in(grid: PictureGrid) -> NDArray[np.float64]:
    """Return where in a raster the network's pixels lie, (2, 112, 112) rows and columns from the first pixel's centre.

    >>> bool((place_in(NETWORK_GRID) == np.mgrid[:112, :112]).all())
    True
    """
    rows = (np.arange(NETWORK_GRID.height) + 0.5) * NETWORK_GRID.pixel_mm / grid.pixel_mm - 0.5
    columns = (np.arange(NETWORK_GRID.width) + 0.5 - NETWORK_GRID.width / 2) * NETWORK_GRID.pixel_mm / grid.pixel_mm
    return np.stack(np.meshgrid(rows.round(9), (columns + grid.width / 2 - 0.5).round(9), indexing="ij"))
