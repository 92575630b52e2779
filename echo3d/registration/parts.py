"""The template's parts as a target shows them: closed surfaces round its tissues and bloods, and the outer skin of both ventricles."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from echo3d.core.foreign import Role
from echo3d.core.mesh import Template, region_faces
from echo3d.core.structures import Structure

_MUSCLES = (Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM)


def template_parts(template: Template, tags: Iterable[int]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return the template's faces (F, 3) of these parts, normals leaving them, and the part of each (F,).

    Parameters
    ----------
    template : any
    tags : structures and roles; 0 stands for all tissue as one part
    """
    faces, labels = [], []
    for tag in tags:
        part = part_faces(template, int(tag))
        faces.append(part)
        labels.append(np.full(len(part), tag, np.uint8))
    if not faces:
        return np.zeros((0, 3), np.int32), np.zeros(0, np.uint8)
    return np.concatenate(faces), np.concatenate(labels)


def part_faces(template: Template, tag: int) -> NDArray[np.int32]:
    """Return the faces (F, 3) of one part of the template, normals leaving it; none for a part that it does not have."""
    sides = template.sides
    if tag == Role.VENTRICLES:
        return _between(template, np.isin(sides, _MUSCLES), sides == Structure.BACKGROUND)
    if tag == 0:
        tissue = (sides > 0) & (sides < 100)
        return _between(template, tissue, ~tissue)
    return region_faces(template.mesh.faces, sides, tag)


def _between(template: Template, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the faces with one kind of structure behind and another before them, masks (F, 2) of each side, normals towards the other."""
    faces = template.mesh.faces
    ahead, back = inside[:, 0] & outside[:, 1], inside[:, 1] & outside[:, 0]
    return np.concatenate([faces[ahead], faces[back][:, ::-1]])
