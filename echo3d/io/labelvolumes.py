"""Label volumes in files: NumPy's own format, with the landmarks beside the labels."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.core.field import LabelVolume
from echo3d.core.mesh import LANDMARKS
from echo3d.errors import InputError, ShapeError

_LARGEST_VOXELS = 400_000_000
_ARRAYS = ("labels", "affine", "landmark_names", "landmarks")


def write_label_volume(path: Path, volume: LabelVolume, landmarks: Mapping[str, NDArray]) -> None:
    """Write labels (X, Y, Z) uint8, affine (4, 4) index to LPS mm, and landmarks (3,) mm by name into one .npz file."""
    names = list(landmarks)
    np.savez_compressed(
        path,
        labels=volume.labels,
        affine=volume.affine,
        landmark_names=np.array(names),
        landmarks=np.stack([landmarks[name] for name in names]),
    )


def read_label_volume(path: Path) -> tuple[LabelVolume, dict[str, NDArray[np.float64]]]:
    """Return the volume and all landmarks that :func:`write_label_volume` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged, too large or of another kind.
    """
    try:
        _check_size(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            if set(_ARRAYS) - set(data.files):
                raise InputError(f"a label volume must hold {', '.join(_ARRAYS)}, found other arrays; write it with echo3d cohort import")
            volume = LabelVolume(data["labels"], data["affine"])
            landmarks = {str(n): np.asarray(at, float) for n, at in zip(data["landmark_names"], data["landmarks"], strict=True)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ShapeError) as exc:
        raise InputError(f"a label volume must be a whole .npz file, found none ({type(exc).__name__}); import the heart again") from exc
    sound = all(at.shape == (3,) and np.isfinite(at).all() for at in landmarks.values())
    if not set(LANDMARKS) <= set(landmarks) or not sound or abs(np.linalg.det(volume.affine[:3, :3])) < 1e-9:
        raise InputError("a label volume must hold every landmark and a sound affine, found otherwise; import the heart again")
    return volume, landmarks


def _check_size(path: Path) -> None:
    """Refuse an archive that unpacks to more than a heart can need."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _LARGEST_VOXELS:
        raise InputError(f"a label volume may unpack to {_LARGEST_VOXELS} bytes, found {size}; use a coarser one")
