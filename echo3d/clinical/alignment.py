"""Bringing the hearts of one beat into one frame: what hardly moves in the body stays where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from echo3d.core.mesh import Template
from echo3d.core.pose import rigid_between
from echo3d.core.result import Reconstruction
from echo3d.core.sector import Sector
from echo3d.core.structures import Structure

_ROOF = range(Structure.LEFT_SUPERIOR_PV, Structure.INFERIOR_VENA_CAVA + 1)
_APEX_MM = 15.0


def still_points(template: Template) -> NDArray[np.int64]:
    """Return indices of near-still points: where veins enter the atria, and the outer LV apex, about half of each.

    *Source:* in the body the base descends towards a near-still apex while the veins hold the atrial roof; our choice of points.
    """
    surface = template.points[: len(template.mesh.points)]
    roof = np.unique(template.mesh.faces[np.isin(template.mesh.labels, _ROOF)])
    distance = np.linalg.norm(surface - template.landmark(template.points, "lv_apex_epi"), axis=1)
    apex = np.flatnonzero(distance <= _APEX_MM)
    if len(roof) == 0 or len(apex) == 0:
        return np.concatenate([roof, apex])
    return np.concatenate([roof, np.resize(apex, len(roof))])


def hold_still(template: Template, hearts: Sequence[Reconstruction], fixed: Reconstruction) -> list[Reconstruction]:
    """Return the hearts moved rigidly, each with its planes, so that their near-still points lie on those of ``fixed``."""
    still = still_points(template)
    target = fixed.points[still]
    return [moved(heart, *rigid_between(heart.points[still], target)) for heart in hearts]


def moved(heart: Reconstruction, rotation: NDArray, translation: NDArray) -> Reconstruction:
    """Return the heart and its planes turned and shifted together: ``p @ rotation.T + translation``.

    Parameters
    ----------
    rotation : (3, 3)
    translation : (3,) mm
    """
    planes = {
        view: Sector(
            s.origin @ rotation.T + translation,
            s.axis @ rotation.T,
            s.lateral @ rotation.T,
            s.half_angle,
            s.depth,
        )
        for view, s in heart.planes.items()
    }
    return replace(heart, points=heart.points @ rotation.T + translation, planes=planes)
