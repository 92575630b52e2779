"""What the tags of other people's hearts mean: the published cohorts, two known templates, names in plain words, or a mapping file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.core.foreign import Role, TaggedSurface
from echo3d.core.structures import Structure
from echo3d.errors import InputError, UnnamedPartsError

S = Structure
PUBLISHED: dict[int, int] = {int(member): int(member) for kind in (Structure, Role) for member in kind if member}
"""Tags 1-24 of the cohort of healthy hearts, and our own labels of blood and roles beside them. *Source:* reference science.md E.3."""

HEART_FAILURE: dict[int, int] = {
    **{tag: tag for tag in range(1, 7)},
    **{7: S.LA_APPENDAGE_BORDER, 8: S.LEFT_SUPERIOR_PV_BORDER, 9: S.LEFT_INFERIOR_PV_BORDER, 10: S.RIGHT_INFERIOR_PV_BORDER},
    **{11: S.RIGHT_SUPERIOR_PV_BORDER, 12: S.SUPERIOR_VENA_CAVA_BORDER, 13: S.INFERIOR_VENA_CAVA_BORDER},
    **{14: S.MITRAL_VALVE, 15: S.TRICUSPID_VALVE, 16: S.AORTIC_VALVE, 17: S.PULMONARY_VALVE},
    **{18: S.LA_APPENDAGE, 19: S.LEFT_SUPERIOR_PV, 20: S.LEFT_INFERIOR_PV, 21: S.RIGHT_INFERIOR_PV},
    **{22: S.RIGHT_SUPERIOR_PV, 23: S.SUPERIOR_VENA_CAVA, 24: S.INFERIOR_VENA_CAVA},
}
"""Tags of the cohort of heart-failure patients: rings 7-13, valve planes 14-17, vessel planes 18-24.

*Source:* reference science.md E.3; the data set's own description (Strocchi et al. 2020).
"""

HEARTDEFORMNETS: dict[int, int] = dict(
    zip(range(1, 8), (S.LV_MYOCARDIUM, S.LA_CAVITY, S.LV_CAVITY, S.RA_CAVITY, S.RV_CAVITY, S.AORTA_LUMEN, S.PULMONARY_LUMEN), strict=True)
)
"""RegionId of HeartDeformNets' templates; all but the first are blood."""

COBIVECO: dict[int, int] = {1: 0, 2: Role.VENTRICLES, 3: S.LV_CAVITY, 4: S.RV_CAVITY}
"""Class of Cobiveco's two ventricles: base (left out: the other skins are closed flat there), outer skin, inner skins."""

ORDERS = {"published": PUBLISHED, "heart-failure": HEART_FAILURE}

_KNOWN: dict[str, tuple[str, dict[int, int]]] = {
    "elemTag": ("the published cohort's order, by the array's name", PUBLISHED),
    "RegionId": ("HeartDeformNets' regions, by the array's name", HEARTDEFORMNETS),
    "class": ("Cobiveco's classes, by the array's name", COBIVECO),
}

_BLOOD = r"cavit|blood|endo|lumen|pool"
_WORDS: tuple[tuple[str, int, int], ...] = (
    (r"papillary|chorda", Role.PAPILLARY, Role.PAPILLARY),
    (r"mitral|bicuspid", S.MITRAL_VALVE, S.MITRAL_VALVE),
    (r"tricuspid", S.TRICUSPID_VALVE, S.TRICUSPID_VALVE),
    (r"aortic valve|aortic annul", S.AORTIC_VALVE, S.AORTIC_VALVE),
    (r"pulmon\w* valve|pulmon\w* annul", S.PULMONARY_VALVE, S.PULMONARY_VALVE),
    (r"left superior pulmon|\blspv\b", S.LEFT_SUPERIOR_PV, S.LEFT_SUPERIOR_PV),
    (r"left inferior pulmon|\blipv\b", S.LEFT_INFERIOR_PV, S.LEFT_INFERIOR_PV),
    (r"right inferior pulmon|\bripv\b", S.RIGHT_INFERIOR_PV, S.RIGHT_INFERIOR_PV),
    (r"right superior pulmon|\brspv\b", S.RIGHT_SUPERIOR_PV, S.RIGHT_SUPERIOR_PV),
    (r"superior vena|\bsvc\b", S.SUPERIOR_VENA_CAVA, S.SUPERIOR_VENA_CAVA),
    (r"inferior vena|\bivc\b", S.INFERIOR_VENA_CAVA, S.INFERIOR_VENA_CAVA),
    (r"pulmon\w* art|pulmon\w* trunk|\bpa\b", S.PULMONARY_ARTERY, S.PULMONARY_LUMEN),
    (r"aort|\bao\b", S.AORTA, S.AORTA_LUMEN),
    (r"septum", S.LV_MYOCARDIUM, S.LV_MYOCARDIUM),
    (r"left (cardiac )?ventric|\blv\b", S.LV_MYOCARDIUM, S.LV_CAVITY),
    (r"right (cardiac )?ventric|\brv\b", S.RV_MYOCARDIUM, S.RV_CAVITY),
    (r"left (cardiac )?atri|\bla\b", S.LA_WALL, S.LA_CAVITY),
    (r"right (cardiac )?atri|\bra\b", S.RA_WALL, S.RA_CAVITY),
    (r"epicard|myocard|ventricles", Role.VENTRICLES, Role.VENTRICLES),
)
"""Words in names: the part, and what it is where the name speaks of blood or of an inner skin."""


def role_from_name(name: str) -> int:
    """Return what a part's name says it is, 0 where it says nothing.

    >>> int(role_from_name("VH_M_heart_left_ventricle")), int(role_from_name("LV endo")), int(role_from_name("rib_3"))
    (1, 101, 0)
    """
    text = re.sub(r"[_\W]+", " ", name.lower()).strip()
    for structure in Structure:
        if structure and text == structure.title.lower():
            return int(structure)
    for pattern, part, blood in _WORDS:
        if re.search(pattern, text):
            return int(blood if re.search(_BLOOD, text) else part)
    return 0


def roles_of(surface: TaggedSurface, *, order: str | None = None, mapping: Mapping[str, int] | None = None) -> tuple[dict[int, int], str]:
    """Return the structure or role of every tag of a surface, and a sentence on where that is known from.

    Parameters
    ----------
    surface : as read
    order : "published" or "heart-failure" where the tags are one of these cohorts'
    mapping : per tag number or part name (with * and ?) a structure or role, 0 to leave it out; replaces everything else

    Raises
    ------
    InputError
        If nothing is known of the tags, or the mapping names a part that is not there.
    """
    tags = [int(tag) for tag in np.unique(surface.tags)]
    if mapping is not None:
        return _mapped(surface, tags, mapping), "parts as the mapping file says"
    if order is not None:
        found, said = {tag: int(ORDERS[order].get(tag, 0)) for tag in tags}, f"tags in the {order} order, as asked"
    elif surface.array == "elemTag" and _valve_at(surface, 14, 7):
        found = {tag: int(HEART_FAILURE.get(tag, 0)) for tag in tags}
        said = "tags in the heart-failure order, because part 14 and not part 7 lies at the left ventricle"
    elif surface.array in _KNOWN:
        said, table = _KNOWN[surface.array]
        found, said = {tag: int(table.get(tag, 0)) for tag in tags}, f"tags in {said}"
    else:
        found, said = {tag: role_from_name(surface.names.get(tag, "")) for tag in tags}, "parts by their names"
    if not any(found.values()):
        what = ", ".join(surface.names.values())[:120] if surface.names else f"tags {tags[:8]}"
        raise UnnamedPartsError(f"the parts of a heart must be known by tag or name, found {what}; say what they are with --mapping FILE")
    unknown = [tag for tag, role in found.items() if role == 0 and not _left_out_by(surface, tag)]
    return found, said + (f"; {len(unknown)} unknown ones left out" if unknown else "")


def _valve_at(surface: TaggedSurface, one: int, other: int) -> bool:
    """Return whether part ``one`` lies clearly nearer to the left ventricle's muscle than part ``other``, as the mitral valve does."""
    parts = [_some_points(surface.part(tag)) for tag in (Structure.LV_MYOCARDIUM, one, other)]
    if not all(len(part) for part in parts):
        return False
    muscle = scipy.spatial.cKDTree(surface.points[parts[0]])
    near, far = (float(np.quantile(muscle.query(surface.points[part])[0], 0.25)) for part in parts[1:])
    return near < 0.7 * far


def _some_points(faces: NDArray, most: int = 4000) -> NDArray[np.int64]:
    """Return the points of about ``most`` triangles, spread over all of them."""
    return np.unique(faces[:: max(1, len(faces) // most)])


def _left_out_by(surface: TaggedSurface, tag: int) -> bool:
    """Return whether a known convention leaves a tag out on purpose."""
    return surface.array in _KNOWN and tag in _KNOWN[surface.array][1]


def _mapped(surface: TaggedSurface, tags: list[int], mapping: Mapping[str, int]) -> dict[int, int]:
    """Return each tag's role by a mapping file; later lines win."""
    found = dict.fromkeys(tags, 0)
    for key, role in mapping.items():
        hits = [tag for tag in tags if key == str(tag) or fnmatchcase(surface.names.get(tag, "").lower(), key.lower())]
        if not hits:
            there = ", ".join([*map(str, tags[:12]), *list(surface.names.values())[:12]])
            raise InputError(
                f"every part in a mapping must have triangles in the mesh, found none of {key[:60]!r} among {there}; correct it"
            )
        found |= dict.fromkeys(hits, role)
    return found
