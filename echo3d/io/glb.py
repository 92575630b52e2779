"""Binary glTF, the 3D format of browsers and slides: one coloured part per structure."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOAT, _UINT32 = 5126, 5125


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A named surface of one colour: points (N, 3) in mm, faces (F, 3), colour 0-255."""

    name: str
    colour: tuple[int, int, int]
    points: NDArray
    faces: NDArray


def write_glb(path: Path, parts: Sequence[Part]) -> None:
    """Write surfaces as binary glTF 2.0, in metres with the head upwards (+y), as the format asks.

    *Source:* Khronos glTF 2.0, sections 3.6 (buffers) and 4.4 (GLB layout).
    """
    blobs = [blob for part in parts for blob in (_metres(part.points), part.faces.astype("<u4"))]
    body = b"".join(blob.tobytes() for blob in blobs)
    header = json.dumps(_document(parts, blobs, len(body))).encode()
    header += b" " * (-len(header) % 4)
    length = 12 + 8 + len(header) + 8 + len(body)
    chunks = struct.pack("<II", len(header), 0x4E4F534A) + header + struct.pack("<II", len(body), 0x004E4942) + body
    path.write_bytes(struct.pack("<III", 0x46546C67, 2, length) + chunks)


def _metres(points: NDArray) -> NDArray[np.float32]:
    """Return LPS millimetres as glTF metres: x left, y head, z front."""
    return (np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1) / 1000.0).astype("<f4")


def _document(parts: Sequence[Part], blobs: Sequence[NDArray], size: int) -> dict[str, Any]:
    """Return the JSON part: one mesh, node and material per part, two views of the buffer each."""
    starts = np.cumsum([0, *(blob.nbytes for blob in blobs)]).tolist()
    return {
        "asset": {"version": "2.0", "generator": "echo3d, research use only"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(parts)))}],
        "nodes": [{"name": part.name, "mesh": k} for k, part in enumerate(parts)],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 2 * k}, "indices": 2 * k + 1, "material": k}]} for k in range(len(parts))],
        "materials": [_material(part) for part in parts],
        "buffers": [{"byteLength": size}],
        "bufferViews": [{"buffer": 0, "byteOffset": starts[k], "byteLength": blob.nbytes} for k, blob in enumerate(blobs)],
        "accessors": [_accessor(k, blob) for k, blob in enumerate(blobs)],
    }


def _material(part: Part) -> dict[str, Any]:
    """Return a matt two-sided material; colours are linear in glTF."""
    linear = [round((value / 255.0) ** 2.2, 4) for value in part.colour]
    surface = {"baseColorFactor": [*linear, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.6}
    return {"name": part.name, "doubleSided": True, "pbrMetallicRoughness": surface}


def _accessor(index: int, blob: NDArray) -> dict[str, Any]:
    """Return how view ``index`` is read: points at even indices, corners at odd ones."""
    if index % 2:
        return {"bufferView": index, "componentType": _UINT32, "count": blob.size, "type": "SCALAR"}
    low, high = blob.min(axis=0).tolist(), blob.max(axis=0).tolist()
    return {"bufferView": index, "componentType": _FLOAT, "count": len(blob), "type": "VEC3", "min": low, "max": high}
