"""The bones of the chest: twelve pairs of ribs with their cartilages, sternum, clavicles and spine, each a closed surface."""

from __future__ import annotations

from functools import partial

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.anatomy.proportions import Build, at_level
from echo3d.anatomy.tubes import Surface, curve, merged, mirrored, rounded, tube

_CAGE_POWER = 2.25

HEAD_MM = np.array([40, 20, 0, -20.5, -42, -64, -86.5, -110, -133, -157.5, -184, -212])
"""Height of each rib's head over the notch, reference man, mm: the discs of a spine with the disc T2/T3 at the notch."""

_DROP_MM = np.array([58, 66, 73, 77, 82, 90, 97, 101, 98, 88, 62, 38], dtype=float)
"""How far each rib comes down from its head to its cartilage, mm; our choice after Gray's Anatomy (two to four vertebrae)."""

_END_DEG = np.array([148, 151, 152, 151, 147, 142, 136, 128, 119, 109, 86, 62], dtype=float)
"""Where bone ends, degrees round the chest from behind (0) to the front (180)."""

JOINT_MM = np.array([-20, -48, -74, -97, -118, -136, -149], dtype=float)
"""Height of the joints of cartilages 1 to 7 with the sternum, mm: the second at the sternal angle, the seventh at the xiphoid."""

_SHARED_DEG = {8: 160.0, 9: 150.0, 10: 139.0}
"""Where the cartilages of ribs 8 to 10 join the one above, degrees."""

VERTEBRAE_MM = np.array([
    (84, 16, 10, 8), (66, 19, 10, 8), (48, 23, 11, 9), (30, 31, 13, 11), (10, 40, 14, 11.5), (-10, 46, 14, 12), (-31, 50, 14, 12.5),
    (-53, 53, 14, 13), (-75, 55, 14.5, 13.5), (-98, 56, 15, 14), (-121, 55, 15.5, 14.5), (-145, 52, 16, 15), (-170, 48, 17, 15.5),
    (-197, 43, 18, 16), (-226, 37, 20, 16.5), (-258, 30, 21, 17), (-293, 24, 22, 17), (-328, 20, 23, 17), (-364, 19, 23.5, 17.5),
    (-400, 23, 24, 17.5),
], dtype=float)  # fmt: skip
"""Bodies of C5 to L5: height and depth (y) of the middle, half breadth and half depth, reference man, mm.
*Source:* vertebral heights as in Gray's Anatomy; the curve is our choice: kyphosis deepest at T6/T7, lordosis at L3/L4."""

_STERNUM_MM = np.array([
    (-1, 27, 6.5), (-8, 31, 7), (-20, 32, 7), (-32, 26, 6.5), (-46, 20, 6), (-52, 18, 6), (-66, 17, 5.5), (-85, 18, 5.5), (-110, 20, 5.5),
    (-132, 20, 5.5), (-146, 15, 5), (-152, 10, 4), (-162, 8, 3.2), (-174, 6, 2.6), (-182, 3, 2),
], dtype=float)  # fmt: skip
"""Height, half breadth and half thickness of manubrium (50 mm), body (100 mm) and xiphoid, reference man, mm. *Source:* Gray's Anatomy."""


def cage_point(build: Build, degrees: NDArray, z: NDArray, inset: float = 0.0) -> NDArray[np.float64]:
    """Return the points (..., 3) on the outer surface of the left half of the rib cage.

    Parameters
    ----------
    build : whose chest
    degrees : (...) round the chest, 0 behind, 180 in front
    z : (...) heights, mm
    inset : mm within the surface
    """
    breadth, front, back = np.moveaxis(at_level(build.cage, z), -1, 0) - inset
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    depth = np.where(cosine < 0, front, back) * np.sign(cosine) * np.abs(cosine) ** (2 / _CAGE_POWER)
    return np.stack([breadth * np.abs(sine) ** (2 / _CAGE_POWER), depth, np.broadcast_to(z, depth.shape)], axis=-1)


def bone_path(build: Build, rib: int, degrees: NDArray) -> NDArray[np.float64]:
    """Return the height (mm) of rib 1 to 12 at some angles round the chest; it comes down steadily, a little faster at the side."""
    start, end = 18.0, _END_DEG[rib - 1]
    gone = np.clip((np.asarray(degrees, float) - start) / (end - start), 0, 1)
    return build.size * (HEAD_MM[rib - 1] - 5.0 - (_DROP_MM[rib - 1] - 5.0) * (gone - 0.06 * np.sin(2 * np.pi * gone)))


def cartilage_path(build: Build, rib: int, degrees: NDArray) -> NDArray[np.float64]:
    """Return the height (mm) of the cartilage of rib 1 to 10 between the rib's end and the sternum or the cartilage above."""
    start = float(_END_DEG[rib - 1])
    low = float(bone_path(build, rib, np.array(start)))
    if rib <= 7:
        stop, high = 173.0, build.size * float(JOINT_MM[rib - 1])
    else:
        stop = _SHARED_DEG[rib]
        high = float(cartilage_path(build, rib - 1, np.array(stop)))
    dip = low - build.size * float(np.interp(rib, [3, 6, 10], [0, 5, 7]))
    knots = np.array([start, start + 0.22 * (stop - start), stop])
    return scipy.interpolate.PchipInterpolator(knots, [low, dip, high])(np.asarray(degrees, float))


def rib(build: Build, number: int) -> Surface:
    """Return the left rib of a number from its head beside the spine to its cartilage, a flat tube."""
    spine = vertebra(build, build.size * HEAD_MM[number - 1])
    end = _END_DEG[number - 1]
    degrees = np.linspace(min(24.0, 0.4 * end), end, 22)
    z = bone_path(build, number, degrees)
    head = np.array([spine[1] + 1.0, spine[0] + 0.45 * spine[2], build.size * HEAD_MM[number - 1]])
    tubercle = np.array([spine[1] + 15.0, spine[0] + spine[2] + 12.0, head[2] - 1.0])
    path = curve(np.concatenate([head[None], tubercle[None], cage_point(build, degrees, z, inset=3.5)]), 44)
    high = build.size * np.interp(np.arange(44), [0, 8, 14, 36, 43], [3.8, 4.4, 5.6, 6.0, 6.4])
    if number in (11, 12):
        high *= np.linspace(1.0, 0.62, 44)
    radii = np.stack([high, 3.4 * build.size * np.ones(44)], axis=1) * _ends(44, 0.05)[:, None]
    return tube(path, _along_cage(path), radii)


def _ends(count: int, share: float) -> NDArray[np.float64]:
    return np.maximum(rounded(count, share), 0.35)


def _along_cage(path: NDArray) -> NDArray[np.float64]:
    """Return for each point of a path (K, 3) the direction within the wall of the chest: upwards, square to the way outwards."""
    out = path * np.array([1.0, 1.0, 0.0])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    lean = np.clip((path[:, 2:] + 60.0) / 90.0, 0.0, 0.85)
    return np.array([0.0, 0.0, 1.0]) - lean * out


def cartilage(build: Build, number: int) -> Surface:
    """Return the left cartilage of rib 1 to 10, a tube from within the rib's end to the sternum or the cartilage above."""
    start = _END_DEG[number - 1]
    stop = 173.0 if number <= 7 else _SHARED_DEG[number]
    degrees = np.linspace(start, stop, 20)
    points = cage_point(build, degrees, cartilage_path(build, number, degrees), inset=3.5)
    lead = cage_point(build, np.array([start - 2.5]), bone_path(build, number, np.array([start - 2.5])), inset=3.5)
    path = curve(np.concatenate([lead, points]), 26)
    high = build.size * np.linspace(6.6, 5.2 if number <= 7 else 4.2, 26)
    radii = np.stack([high, 4.0 * build.size * np.ones(26)], axis=1) * _ends(26, 0.06)[:, None]
    return tube(path, _along_cage(path), radii)


def sternum(build: Build) -> Surface:
    """Return manubrium, body and xiphoid in one piece, in the front of the rib cage, notched above."""
    rows = _STERNUM_MM * build.size
    z = np.linspace(rows[0, 0], rows[-1, 0], 70)
    half = scipy.interpolate.PchipInterpolator(rows[::-1, 0], rows[::-1, 1:])(z)
    front = -at_level(build.cage, z)[:, 1]
    path = np.stack([np.zeros_like(z), front + half[:, 1] + 1.0, z], axis=1)
    radii = half * np.maximum(rounded(70, 0.035), 0.55)[:, None]
    points, faces = tube(path, np.tile([1.0, 0.0, 0.0], (70, 1)), radii, sides=24, power=3.0)
    notch = np.exp(-((points[:, 0] / (11 * build.size)) ** 2)) * np.clip((points[:, 2] / build.size + 25) / 25, 0, 1)
    return points - np.stack([0 * notch, 0 * notch, 7 * build.size * notch], axis=1), faces


def clavicle_path(build: Build) -> NDArray[np.float64]:
    """Return (40, 3) the middle line of the left collar bone, bent like an S from the manubrium to the shoulder."""
    front = -float(at_level(build.cage, 0.0)[1])
    reach = shoulder(build)
    knots = np.array([
        (19 * build.size, front + 4, 1.0),
        (0.33 * reach[0], front - 3, 8 * build.size),
        (0.68 * reach[0], 0.5 * (front + reach[1]) + 8, 15 * build.size),
        (reach[0] - 8, reach[1] + 4, reach[2] + 28 * build.size),
    ])  # fmt: skip
    return curve(knots, 40)


def clavicle(build: Build) -> Surface:
    """Return the left collar bone."""
    at = np.linspace(0, 1, 40)
    radii = build.size * np.stack([np.interp(at, [0, 0.2, 0.6, 1], r) for r in ([8, 6, 5.5, 7], [7.5, 6, 5.2, 4.5])], axis=1)
    return tube(clavicle_path(build), np.tile([0.0, -1.0, 0.2], (40, 1)), radii * _ends(40, 0.06)[:, None])


def shoulder(build: Build) -> NDArray[np.float64]:
    """Return the middle of the left shoulder joint, (3,) mm. *Source:* biacromial breadth 397 (men), 363 mm (women), ANSUR 1988."""
    half = 0.5 * (397.0 if build.record.sex == "m" else 363.0 * 1756 / 1629) * build.size
    return np.array([half - 26 * build.size, 12.0 * build.size, -22.0 * build.size])


def vertebra(build: Build, z: NDArray | float) -> NDArray[np.float64]:
    """Return (..., 3) depth of the middle, half breadth and half depth of the spine's bodies at heights (...), mm."""
    rows = VERTEBRAE_MM[::-1] * build.size
    return scipy.interpolate.PchipInterpolator(rows[:, 0], rows[:, 1:])(np.clip(z, rows[0, 0], rows[-1, 0]))


def spine(build: Build) -> Surface:
    """Return the bodies of C5 to L5 as one column with a waist at each body, and their processes."""
    processes = [part for row in VERTEBRAE_MM for part in _processes(build, row * build.size)]
    return merged([_column(build), *processes])


def _column(build: Build) -> Surface:
    rows = VERTEBRAE_MM * build.size
    heights = np.linspace(rows[0, 0] + 7, rows[-1, 0] - 15, 180)
    index = np.interp(-heights, -rows[:, 0], np.arange(len(rows)))
    waist = 1.0 - 0.11 * np.cos(np.pi * (index - np.rint(index))) ** 2 + 0.03
    measures = vertebra(build, heights)
    path = np.stack([np.zeros_like(heights), measures[:, 0], heights], axis=1)
    radii = measures[:, 1:] * (waist * np.maximum(rounded(180, 0.01), 0.6))[:, None]
    return tube(path, np.tile([1.0, 0.0, 0.0], (180, 1)), radii, sides=24, power=2.3)


def _processes(build: Build, row: NDArray) -> list[Surface]:
    """Return arch, spinous and two transverse processes of one vertebra."""
    z, y, breadth, depth = row
    level = float(np.interp(z / build.size, [-400, -240, -120, 0, 60], [0.15, 0.35, 1.0, 0.55, 0.3]))
    back = y + depth
    length = build.size * np.interp(z / build.size, [-400, -240, -120, 0, 84], [33, 30, 33, 34, 26])
    low = z - length * 0.75 * level - 4
    under_skin = float(at_level(build.skin, low)[2]) - 21.0 * build.size
    tip = np.array([0.0, min(back + length * (1 - 0.28 * level), under_skin), low])
    stick = partial(_stick, size=build.size)
    arch = stick(np.array([(0.0, back - 3, z), (0.0, back + 12 * build.size, z - 3)]), (breadth * 0.75, 6.5))
    spinous = stick(np.array([(0.0, back + 8 * build.size, z - 2), tip]), (3.6, 7.0))
    side = stick(np.array([(breadth * 0.4, back + 4, z), (breadth + 15 * build.size, back + 11 * build.size, z + 1)]), (4.2, 4.8))
    return [arch, spinous, side, mirrored(side)]


def _stick(ends: NDArray, radii: tuple[float, float], size: float) -> Surface:
    """Return a straight tube; its radii are sideways and upwards, mm of the reference man, its far end a little thinner."""
    path = ends[0] + np.linspace(0, 1, 10)[:, None] * (ends[1] - ends[0])
    flat = np.array([1.0, 0.0, 0.0]) if abs(ends[1, 0] - ends[0, 0]) < 1 else np.array([0.0, 0.0, 1.0])
    shape = np.maximum(rounded(10, 0.2), 0.45) * np.linspace(1.0, 0.8, 10)
    return tube(path, np.tile(flat, (10, 1)), np.array(radii) * size * shape[:, None])


def both_sides(parts: list[Surface]) -> Surface:
    """Return left parts and their mirror images as one surface."""
    return merged([*parts, *(mirrored(part) for part in parts)])


def ribs(build: Build) -> Surface:
    """Return all twelve pairs."""
    return both_sides([rib(build, number) for number in range(1, 13)])


def cartilages(build: Build) -> Surface:
    """Return the cartilages of the first ten pairs."""
    return both_sides([cartilage(build, number) for number in range(1, 11)])
