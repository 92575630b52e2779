"""One heart of a data set: posed, seen by each hand's fans, its pictures, and the truth of both phases.

A hand's pose, fans and machine come from seed, heart and hand alone, and before anything that a stage draws; so neither the order of the
work, nor the number of processes, nor the stage changes where the probes stand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.template import load_template
from echo3d.anatomy.window import Window
from echo3d.core.pose import Pose, place, rigid_between
from echo3d.core.sector import PictureGrid, Sector, SectorSlice
from echo3d.core.views import View
from echo3d.dataset.bodies import Stand, stand_of
from echo3d.dataset.hearts import Member, PhasedHeart, Seen, heart_at
from echo3d.dataset.spec import POSE_LIMITS, PROBE_LIMITS, DatasetSpec, Range
from echo3d.simulate import NO_DRAWN_SHADOWS
from echo3d.slicing.labelvolume import Labels, PlacedLabels, cut, cut_polar
from echo3d.slicing.standard import SectorDraw, draw_sector, jittered, sectors_at
from echo3d.style.draws import SpeckleDraw, draw_speckle
from echo3d.style.polar import PolarGrid
from echo3d.style.pseudo import PseudoDraw, draw_pseudo
from echo3d.style.scene import Scene, long_axis_of
from echo3d.style.speckle import speckle_image
from echo3d.styled import styled

Arrays = dict[str, NDArray]

_BEAMS = 88
_UNMOVED = {name: 1.0 if name == "scale" else 0.0 for name in POSE_LIMITS}


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """How one hand sees one heart.

    Parameters
    ----------
    pose : the seven numbers by name
    level : of the short-axis planes, see ``slicing.standard.sectors_at``
    probe : per view, departure from the standard fan
    speckle : per view, the look; one machine for all of them
    pseudo : per phase and view, the paper's pseudo image
    """

    pose: dict[str, float]
    level: float
    probe: dict[View, SectorDraw]
    speckle: dict[View, SpeckleDraw]
    pseudo: dict[str, dict[View, PseudoDraw]]


@dataclass(frozen=True, slots=True, eq=False)
class HeartSamples:
    """All samples of one heart.

    Parameters
    ----------
    arrays : S = hands x phases samples, the phases of a hand in turn: ``labels`` and ``image`` (S, V, H, W) uint8, ``sectors`` (S, V, 9)
        origin, axis and lateral of each fan in the frame of ``field``, ``fans`` (S, V, 2) half angle (degrees) and depth (mm), ``field``
        (S, N, 3) float16 mm from the template to the heart brought rigidly onto it, ``volumes`` (S, 4) ml of LV, RV, LA, RA, ``pose``
        (S, 7). A labels-only set has no image, a heart without correspondence no field.
    record : plain JSON values: the heart, and all that was drawn for each hand
    """

    arrays: Arrays
    record: dict[str, Any]


def draw_hand(spec: DatasetSpec, index: int, hand: int) -> Hand:
    """Return a hand; all six views are drawn, so that a view is the same whichever others are asked for."""
    rng = np.random.default_rng([spec.seed, index, 1 + hand])
    pose = _UNMOVED | _within(spec.pose, POSE_LIMITS, rng)
    level = _within(spec.probe, PROBE_LIMITS, rng).get("level", float(rng.uniform(0, 1)))
    usual = {view: draw_sector(rng) for view in View}
    probe = {view: replace(usual[view], **_within(spec.probe, PROBE_LIMITS, rng) | {"level": level}) for view in View}
    machine = draw_speckle(rng)
    speckle = {view: draw_speckle(rng, like=machine) for view in View}
    pseudo = {phase: {view: draw_pseudo(rng) for view in View} for phase in ("ed", "es")}
    return Hand(pose, level, probe, speckle, pseudo)


def _within(ranges: Mapping[str, Range], names: Collection[str], rng: np.random.Generator) -> dict[str, float]:
    """Return a number in each range; as many are drawn whatever is asked for, so that a range changes nothing but its own number."""
    shares = {name: float(share) for name, share in zip(names, rng.random(len(names)), strict=True)}
    return {name: low + shares[name] * (high - low) for name, (low, high) in ranges.items()}


def make_heart(spec: DatasetSpec, given: Member | None, index: int) -> HeartSamples:
    """Return all samples of heart ``index``.

    Parameters
    ----------
    spec : of the data set
    given : the heart, None to draw it
    index : its number
    """
    heart = heart_at(spec, given, index)
    there = stand_of(spec.body, heart) if spec.body else None
    taken = [_taken(spec, heart, draw_hand(spec, index, hand), there) for hand in range(spec.hands)]
    samples = [sample for one in taken for sample in _samples(spec, heart, one)]
    arrays = {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}
    about = heart.about if there is None else heart.about | {"body": there.about}
    return HeartSamples(arrays, {"index": index} | about | {"hands": [_hand_json(spec, one) for one in taken]})


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A heart as one hand takes its pictures.

    Parameters
    ----------
    hand : how
    fans : of each view, in the heart's frame, or in the body's where there is one
    moves : what brings the heart to where it is seen: the drawn pose, then in a body its placement; each with its pivot (3,)
    scenes : per view what is known of an echo picture besides its labels: how it cuts the LV, and in a body what stops its beams
    windows : per view what is known of its acoustic window, plain JSON values
    """

    hand: Hand
    fans: dict[View, Sector]
    moves: tuple[tuple[Pose, NDArray[np.float64]], ...]
    scenes: dict[View, Scene]
    windows: dict[str, Any]


def _taken(spec: DatasetSpec, heart: PhasedHeart, hand: Hand, there: Stand | None) -> Taken:
    """Return a heart in one hand."""
    numbers = list(hand.pose.values())
    moves = ((Pose(np.array(numbers[:3]), np.array(numbers[3:6]), numbers[6]), heart.landmarks["heart"]),)
    if there is None:
        standard = sectors_at(heart.landmarks, heart.mean, level=hand.level)
        scenes = {view: Scene(long_axis=long_axis_of(view)) for view in spec.views}
        return Taken(hand, {view: jittered(standard[view], hand.probe[view]) for view in spec.views}, moves, scenes, {})
    standard = sectors_at(there.landmarks, heart.mean, level=hand.level)
    probes = {view: there.hold(standard[view], hand.probe[view]) for view in spec.views}
    fans = {view: fan for view, (fan, _) in probes.items()}
    echo = fans.items() if spec.stage == "echo" else ()
    scenes = {view: _scene(view, there.window(fan, polar_for(fan, spec.grid).lines)) for view, fan in echo}
    windows = {view.key: there.told(fan, on_skin=on_skin) for view, (fan, on_skin) in probes.items()}
    return Taken(hand, fans, (*moves, (there.standing.pose, there.standing.pivot)), scenes, windows)


def _scene(view: View, window: Window) -> Scene:
    """Return what is known of a view through a window in a body."""
    return Scene(window.start_mm, window.lung, long_axis=long_axis_of(view))


def _samples(spec: DatasetSpec, heart: PhasedHeart, taken: Taken) -> list[Arrays]:
    """Return one sample per phase of a heart in one hand."""
    samples = []
    for frame, (phase, seen) in enumerate(heart.phases.items()):
        labels: Labels = seen.labels
        for pose, pivot in taken.moves:
            labels = PlacedLabels(labels, pose, pivot)
        pictures = [_pictures(spec, labels, taken, (phase, frame, view)) for view in taken.fans]
        arrays = {key: np.stack([one[key] for one in pictures]) for key in pictures[0]}
        samples.append(arrays | _truth(seen, taken) | {"pose": np.array(list(taken.hand.pose.values()), np.float32)})
    return samples


Taking = tuple[str, int, View]
"""At which phase, in which frame of its cine, and which view."""


def _pictures(spec: DatasetSpec, labels: Labels, taken: Taken, taking: Taking) -> Arrays:
    """Return label slice and picture (H, W) uint8 of one fan."""
    piece = cut(labels, taken.fans[taking[2]], grid=spec.grid)
    if spec.stage == "labels":
        return {"labels": piece.labels}
    return {"labels": piece.labels, "image": np.rint(255 * _image(spec, labels, piece, (taken, taking))).astype(np.uint8)}


def _image(spec: DatasetSpec, labels: Labels, piece: SectorSlice, how: tuple[Taken, Taking]) -> NDArray[np.float32]:
    """Return the picture (H, W) in [0, 1] of a slice at the spec's stage."""
    taken, (phase, frame, view) = how
    hand = taken.hand
    if spec.stage != "echo":
        return styled(spec.stage, piece.labels, piece.inside, (hand.pseudo[phase][view], spec.grid.pixel_mm))
    polar, look, scene = polar_for(piece.sector, spec.grid), replace(hand.speckle[view], frame=frame), taken.scenes[view]
    if scene.shadow_mm is not None:
        look = replace(look, **NO_DRAWN_SHADOWS)
    return speckle_image(cut_polar(labels, piece.sector, polar.plane_mm()), polar, spec.grid, look, scene=scene)


def polar_for(fan: Sector, grid: PictureGrid) -> PolarGrid:
    """Return the raster that a fan's speckle is simulated on: two samples a row, and the beams that go with 112 pixels, or more for more.

    >>> fan = Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150)
    >>> polar_for(fan, PictureGrid(112, 112, 1.6)).lines
    88
    """
    return PolarGrid(2 * grid.height, max(_BEAMS, round(_BEAMS * grid.width / 112)), fan.half_angle, fan.depth)


def _truth(seen: Seen, taken: Taken) -> Arrays:
    """Return what is true of one sample."""
    rotation, shift, field = np.eye(3), np.zeros(3), {}
    fans = taken.fans
    if seen.points is not None:
        template, points = load_template().points, seen.points
        for pose, pivot in taken.moves:
            points = place(points, pose, pivot)
        rotation, shift = rigid_between(points, template)
        field = {"field": (points @ rotation.T + shift - template).astype(np.float16)}
    return field | {
        "sectors": np.stack([_moved(fan, rotation, shift) for fan in fans.values()]),
        "fans": np.array([[fan.half_angle, fan.depth] for fan in fans.values()], np.float32),
        "volumes": (math.prod(pose.scale for pose, _ in taken.moves) ** 3 * seen.volumes).astype(np.float32),
    }


def _moved(fan: Sector, rotation: NDArray, shift: NDArray) -> NDArray[np.float32]:
    """Return (9,) origin, axis and lateral of a fan moved rigidly."""
    return np.concatenate([rotation @ fan.origin + shift, rotation @ fan.axis, rotation @ fan.lateral]).astype(np.float32)


def _hand_json(spec: DatasetSpec, taken: Taken) -> dict[str, Any]:
    """Return what was drawn for a hand and used, plain JSON values."""
    hand = taken.hand
    drawn: dict[str, Any] = {"pose": hand.pose, "probe": {view.key: asdict(hand.probe[view]) for view in spec.views}}
    if spec.stage == "echo":
        drawn["speckle"] = {view.key: asdict(hand.speckle[view]) for view in spec.views}
    if spec.stage in ("pseudo", "cyclegan"):
        drawn["pseudo"] = {phase: {view.key: asdict(hand.pseudo[phase][view]) for view in spec.views} for phase in spec.phases}
    return drawn | ({"windows": taken.windows} if taken.windows else {})
