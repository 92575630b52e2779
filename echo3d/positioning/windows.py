"""The best acoustic window of a probe: slid over the skin and aimed back at the same place, its plane still the view's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.window import Obstacles, acoustic_window
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import place
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.positioning.bodies import WorkBody
from echo3d.positioning.probes import Adjustment, Skin, probe_at_hand, standard_fans
from echo3d.positioning.state import Scene, heart_of

MOST_TILT = 12.0
"""Degrees that a plane may lean from the view's own: as far as a careful hand departs from it in ``slicing.standard.draw_sector``."""
REACH_MM = 60.0
"""How far over the skin a probe may be slid; the picture then turns within its plane by up to about 40 degrees."""
_STEPS = (10.0, 5.0, 2.5)
_SEEDS = 3
_LINES = 48
_TILT_PRICE, _SLIDE_PRICE = 0.004, 0.005
"""What a degree of tilt and a mm of sliding must gain in the share of open beams to be worth it; our choice.

At this price the short axes of drawn hearts stay beside the sternum with 79 to 100 % of their beams; at a third of it a tenth more is open,
but the middle one looks up from below the ribs, which no sonographer calls a short axis from beside the sternum.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a search for a window needs, in the body's frame.

    Parameters
    ----------
    skin, obstacles : the body's, both near the heart's view only
    heart : where it stands
    standard : the view's standard fan
    hand : how the probe is held now
    """

    skin: Skin
    obstacles: Obstacles
    heart: HeartMesh
    standard: Sector
    hand: Adjustment


def aimed_back(standard: Sector, hand: Adjustment, lateral: float, elevation: float) -> Adjustment:
    """Return a probe slid by mm and turned so that its central beam meets the same place as before, halfway down the fan.

    Sliding across turns the picture within its plane; sliding out of the plane leans the plane by the angle of ``tilt``.

    >>> fan = Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 100)
    >>> round(aimed_back(fan, Adjustment(), 50.0, 0.0).angulate)
    -45
    """
    deep = 0.5 * standard.depth
    angulate = float(np.degrees(np.arctan2(-lateral, deep)))
    tilt = float(np.degrees(np.arctan2(-elevation, np.hypot(deep, lateral))))
    return replace(hand, slide_lateral=lateral, slide_elevation=elevation, angulate=angulate, tilt=tilt)


def best_hold(search: Search) -> Adjustment:
    """Return how to hold the probe for the best window within reach, or as now where nothing better is found.

    Coarse steps over all that is in reach, then finer ones round the best three. Of two windows nearly as open the one with less tilt and
    less sliding is taken.
    """
    known: dict[tuple[float, float], float] = {}

    def cost(slide: tuple[float, float]) -> float:
        if slide not in known:
            known[slide] = _cost(search, *slide)
        return known[slide]

    ways = np.arange(-REACH_MM, REACH_MM + 1e-6, _STEPS[0]).tolist()
    seeds = _best(((a, b) for a in ways for b in ways), cost, _SEEDS)
    for step, kept in zip(_STEPS[1:], (_SEEDS, 1), strict=True):
        seeds = _best((near for seed in seeds for near in _around(seed, step)), cost, kept)
    if not np.isfinite(cost(seeds[0])):
        return search.hand
    found = aimed_back(search.standard, search.hand, *seeds[0])
    return found if blocked(search, found) <= blocked(search, search.hand) else search.hand


def _best(slides: Iterable[tuple[float, float]], cost: Callable[[tuple[float, float]], float], count: int) -> list[tuple[float, float]]:
    return sorted(dict.fromkeys(slides), key=lambda slide: (cost(slide), np.hypot(*slide), slide))[:count]


def _around(slide: tuple[float, float], step: float) -> list[tuple[float, float]]:
    return [(slide[0] + i * step, slide[1] + j * step) for i in (0, -1, 1) for j in (0, -1, 1)]


def _cost(search: Search, lateral: float, elevation: float) -> float:
    """Return the share of stopped beams with the price of the way there; infinite where the hand may not go."""
    if np.hypot(lateral, elevation) > REACH_MM:
        return np.inf
    held = aimed_back(search.standard, search.hand, lateral, elevation)
    if abs(held.tilt) > MOST_TILT:
        return np.inf
    price = _TILT_PRICE * abs(held.tilt) + _SLIDE_PRICE * float(np.hypot(lateral, elevation))
    return blocked(search, held) + price


def blocked(search: Search, held: Adjustment) -> float:
    """Return the share of the beams aimed at the heart that bone or lung stops; infinite off the skin."""
    probe = probe_at_hand(search.standard, held, search.skin)
    if not probe.touches:
        return np.inf
    return acoustic_window(search.obstacles, search.heart, probe.sector, lines=_LINES).share


def best_holds(scene: Scene, views: Iterable[View], told: Callable[[View], bool] = lambda _: True) -> dict[View, Adjustment]:
    """Return per view how to hold its probe for the best window; those of a scene without a body stay as they are.

    Parameters
    ----------
    scene : heart, body and placement; the heart at end-diastole counts
    views : whose probes
    told : hears which view's turn it is; the search ends where it answers False

    Raises
    ------
    InputError
        If there is no heart.
    """
    heart, body, placement = heart_of(scene), scene.body, scene.placement
    if body is None:
        return {view: placement.probe(view) for view in views}
    fans = standard_fans(heart.landmarks, placement.aim, level=placement.level, table=placement.table)
    placed, made = HeartMesh(place(heart.mesh.points, placement.pose, heart.pivot), heart.mesh.faces, heart.mesh.labels), {}
    for view in views:
        if not told(view):
            break
        made[view] = best_hold(search_of(body, placed, fans[view], placement.probe(view)))
    return made


def search_of(body: WorkBody, heart: HeartMesh, standard: Sector, hand: Adjustment) -> Search:
    """Return a search with what of body and heart can lie before a probe within reach, which is a fraction of them."""
    middle = standard.origin + 0.5 * standard.depth * standard.axis
    far = 0.5 * standard.depth + REACH_MM + 60.0

    def near(points: NDArray) -> NDArray[np.bool_]:
        away = points - middle
        return (away @ standard.axis < 100.0) & (np.einsum("ni,ni->n", away, away) < far**2)

    obstacles = _obstacles_near(body.obstacles, near)
    skin = replace(body.skin, faces=body.skin.faces[near(body.skin.points)[body.skin.faces].any(axis=1)])
    return Search(skin, obstacles, heart, standard, hand)


def _obstacles_near(obstacles: Obstacles, near: Callable[[NDArray], NDArray[np.bool_]]) -> Obstacles:
    kept = near(obstacles.points)[obstacles.faces].any(axis=1)
    used, faces = np.unique(obstacles.faces[kept], return_inverse=True)
    return Obstacles(obstacles.points[used], faces.reshape(-1, 3).astype(np.int32), obstacles.parts[kept])


def with_holds(scene: Scene, found: Mapping[View, Adjustment]) -> Scene:
    """Return the scene with some probes held otherwise."""
    return replace(scene, placement=replace(scene.placement, probes={**scene.placement.probes, **found}))


def same_stand(one: Scene, other: Scene) -> bool:
    """Return whether heart, body and standard fans of two scenes are the same, so that what was found for one holds for the other."""
    a, b = one.placement, other.placement
    fans = (a.pose is b.pose, a.aim is b.aim, a.level == b.level, a.table == b.table)
    return all(fans) and one.heart is other.heart and one.body is other.body
