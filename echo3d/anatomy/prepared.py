"""Arrays that take seconds to work out of the shipped template, kept in the user's cache folder; they can always be worked out again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.paths import resource, user_cache


def prepared_key(*modules: str) -> str:
    """Return the key of what modules make of the template: other resources, code or libraries give another one.

    Parameters
    ----------
    modules : paths of the modules' files; one that is not there, as in a frozen program, is stood for by the program's version
    """
    digest = hashlib.sha256(f"{__version__} {np.__version__} {scipy.__version__}".encode())
    for path in (resource("template/template.npz"), resource("template/labels.npz"), *map(Path, modules)):
        if path.is_file():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def read_prepared(name: str, key: str) -> dict[str, NDArray] | None:
    """Return the arrays kept under a name and key, None where there are none or they cannot be read."""
    try:
        with _file(name).open("rb") as file, np.load(file, allow_pickle=False) as data:
            return {part: data[part] for part in data.files} if str(data["key"]) == key else None
    except Exception:  # a damaged archive raises what zip, zlib or NumPy like: all of it means to work it out again
        return None


def keep_prepared(name: str, key: str, arrays: Mapping[str, NDArray]) -> None:
    """Keep arrays under a name in place of older ones; nothing happens where the folder cannot be written."""
    try:
        whole = _file(name)
        part = whole.with_name(f"{whole.stem}-{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                np.savez(file, key=np.array(key), **arrays)  # type: ignore[arg-type]
            part.replace(whole)
        finally:
            part.unlink(missing_ok=True)
    except OSError:
        return


def _file(name: str) -> Path:
    return user_cache() / f"{name}.npz"
