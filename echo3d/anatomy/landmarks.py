"""Landmarks and AHA-17 segments found on a labelled surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import unit
from echo3d.core.structures import CHAMBER_KEYS, Structure

_VALVES = {
    "mitral": Structure.MITRAL_VALVE,
    "tricuspid": Structure.TRICUSPID_VALVE,
    "aortic": Structure.AORTIC_VALVE,
    "pulmonary": Structure.PULMONARY_VALVE,
}


def find_landmarks(points: NDArray, faces: NDArray, sides: NDArray) -> dict[str, NDArray[np.float64]]:
    """Return the landmarks of ``core.mesh.LANDMARKS`` as positions (3,) in mm.

    Valve and chamber centres are area-weighted centres of their surfaces; the apices are the points of the LV's inner and outer
    surface farthest from the mitral valve.
    """
    found = {name: surface_centre(points, faces[(sides == tag).any(axis=1)]) for name, tag in _VALVES.items()}
    found |= {key: surface_centre(points, faces[(sides == tag).any(axis=1)]) for key, tag in CHAMBER_KEYS.items()}
    inner = between(faces, sides, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    outer = between(faces, sides, Structure.LV_MYOCARDIUM, Structure.BACKGROUND)
    found["lv_apex_endo"] = farthest(points[inner], found["mitral"])
    found["lv_apex_epi"] = farthest(points[outer], found["mitral"])
    found["heart"] = surface_centre(points, faces)
    names = ("lv_apex_endo", "lv_apex_epi", "mitral", "tricuspid", "aortic", "pulmonary", "lv", "rv", "la", "ra", "heart")
    return {name: found[name] for name in names}


def surface_centre(points: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """Return the area-weighted centre (3,) of triangles."""
    corners = points[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return (corners.mean(axis=1) * area[:, None]).sum(axis=0) / area.sum()


def between(faces: NDArray, sides: NDArray, one: int, other: int) -> NDArray[np.int64]:
    """Return the sorted point indices of the interface of two structures."""
    match = ((sides[:, 0] == one) & (sides[:, 1] == other)) | ((sides[:, 0] == other) & (sides[:, 1] == one))
    return np.unique(faces[match])


def farthest(points: NDArray, start: NDArray) -> NDArray[np.float64]:
    """Return the point farthest from ``start``."""
    return np.asarray(points[np.linalg.norm(points - start, axis=1).argmax()], dtype=float)


def aha_segments(points: NDArray, faces: NDArray, sides: NDArray, landmarks: dict[str, NDArray]) -> NDArray[np.uint8]:
    """Return the AHA-17 segment of each point of the LV wall (N,), 0 elsewhere.

    *Source:* Cerqueira 2002: thirds of the long axis, six, six and four sectors counted from the anterior wall towards the septum; what
    lies beyond the cavity's end is segment 17. The septum's middle is the direction of the RV.
    """
    apex, base = landmarks["lv_apex_endo"], landmarks["mitral"]
    axis = unit(base - apex)
    height = (points - apex) @ axis / float(np.linalg.norm(base - apex))
    septal = unit((landmarks["rv"] - apex) - ((landmarks["rv"] - apex) @ axis) * axis)
    anterior = np.cross(axis, septal) * np.sign(np.cross(axis, septal) @ np.array([0.0, -1.0, 0.0]))
    angle = np.degrees(np.arctan2((points - apex) @ anterior, (points - apex) @ septal)) % 360
    six = np.array([2, 1, 6, 5, 4, 3])[np.minimum((angle // 60).astype(int), 5)]
    four = np.array([14, 13, 16, 15])[(((angle + 45) % 360) // 90).astype(int)]
    segment = np.select([height < 0.02, height < 1 / 3, height < 2 / 3], [17, four, six + 6], six)
    wall = np.zeros(len(points), dtype=bool)
    wall[np.unique(faces[(sides == Structure.LV_MYOCARDIUM).any(axis=1)])] = True
    return np.where(wall, segment, 0).astype(np.uint8)
