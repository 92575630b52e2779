"""The files of a data set: plan.json, hearts/NNNNNN.npz, and manifest.json, which comes last and makes it whole."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.dataset.folder import HEARTS
from echo3d.dataset.sample import HeartSamples
from echo3d.errors import InputError

RECORD = "record"


def heart_name(index: int) -> str:
    """Return the file of a heart below the data set's folder.

    >>> heart_name(7)
    'hearts/000007.npz'
    """
    return f"{HEARTS}/{index:06d}.npz"


def packed(heart: HeartSamples) -> bytes:
    """Return the bytes of a heart's file: an uncompressed .npz, so that equal arrays make equal bytes everywhere."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **{RECORD: np.array(json.dumps(heart.record))}, **heart.arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and let it reach the disk before it takes its name.

    Raises
    ------
    OSError
        If the disk is full; nothing is left of the file then.
    """
    part = path.parent / f".{path.name}.part"
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def is_whole(path: Path) -> bool:
    """Return whether a heart's file is there and undamaged; files hold the sums of their own bytes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{RECORD}.npy" in archive.namelist() and archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def read_record(path: Path) -> tuple[dict[str, Any], int]:
    """Return the record of a heart's file and how many samples it holds."""
    with np.load(path, allow_pickle=False) as data:
        return json.loads(str(data[RECORD])), len(data["labels"])


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray]:
    """Return some arrays of a heart's file.

    Raises
    ------
    InputError
        If the file is missing or damaged, or has no such array.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
        raise InputError(
            f"a data set must hold {', '.join(names)} of each heart, found a file that does not ({type(exc).__name__}); generate it again"
        ) from exc


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
