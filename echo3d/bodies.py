"""Any body that a heart can stand in, from whatever the user names, and the probes on its skin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echo3d.core.body import BONES, LUNGS, BodyMesh
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import Pose, place, unplace
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.errors import InputError

if TYPE_CHECKING:
    from echo3d.anatomy.chest import Chest
    from echo3d.anatomy.lungs import Room
    from echo3d.anatomy.outline import LookUp
    from echo3d.anatomy.record import Body
    from echo3d.anatomy.window import Window

OWN = "torso"
"""The word for a body of our own, of the heart's own person where that is known."""

MEAN_ADULT = ("m", 175.6, 78.5)
"""Whose body the word names where the person is not known. *Source:* ANSUR 1988 (Gordon et al. 1989), mean of men."""

DEEPEST_MM = 8.0
"""How far the chambers of a heart may reach into the wall of a chest before the heart is said not to fit."""

PRESSED = 0.65
"""Share of skin and fat that a hand presses a probe into: 8 mm in a body of mean stoutness, 15 mm in a very stout one. Our choice."""

_WRITTEN = re.compile(r"([a-z]+):([\d.]+):([\d.]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class OpenBody:
    """A body ready for a heart.

    Parameters
    ----------
    chest : its skin and what belongs under it
    facts : plain JSON values: where it comes from, its unit and axes, stature and body mass index
    assumed : one sentence each on what was recognised or taken for granted
    """

    chest: Chest
    facts: dict[str, Any]
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """A heart that is to stand in a body, mm in its own frame.

    Parameters
    ----------
    look_up : returns the structure at points (..., 3)
    landmarks : all of ``core.mesh.LANDMARKS``, (3,)
    scale : 1 for a heart that keeps its size, None for one that takes the size that belongs to the body
    """

    look_up: LookUp
    landmarks: Mapping[str, NDArray[np.float64]]
    scale: float | None = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A heart in a body, LPS mm in the body's frame.

    Parameters
    ----------
    body : skin, bones and lungs
    pose, pivot : what brings the heart there, and the point (3,) of its own frame that it turns about
    surface : the heart's outside, there
    press_mm : how deep a hand presses a probe into the skin
    warnings : a sentence where the heart does not fit
    """

    body: BodyMesh
    pose: Pose
    pivot: NDArray[np.float64]
    surface: HeartMesh
    press_mm: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A probe where a hand holds it.

    Parameters
    ----------
    sector : its fan in the body's frame
    on_skin : whether it stands on the skin; else where the heart alone wants it
    slid_mm : how far the hand slid it for the sake of a better window
    """

    sector: Sector
    on_skin: bool
    slid_mm: float


def open_body(word: str, person: Body | None = None) -> OpenBody:
    """Return the body that the user names.

    Parameters
    ----------
    word : "torso", or sex:height:weight such as "m:178:80" (cm, kg), or the path of a mesh file
    person : whose heart is to stand in it, where that is known

    Raises
    ------
    InputError
        If there is no such body, or it cannot be made out.
    """
    written = _WRITTEN.fullmatch(word)
    if written is not None and not Path(word).exists():
        return _own_body(written[1].lower(), _number(written[2]), _number(written[3]), "as asked")
    if word != OWN or Path(word).exists():
        return _body_of_file(Path(word), person)
    if person is None:
        return _own_body(*MEAN_ADULT, "a mean man, because the heart's own person is not known")
    return _own_body(person.sex, person.height_cm, person.weight_kg, "the heart's own person")


def _number(word: str) -> float:
    """Return a number of a body's measures."""
    try:
        return float(word)
    except ValueError as exc:
        raise InputError(f"a body of ours is written sex:height:weight such as m:178:80, found {word[:20]!r}; write a number") from exc


def _own_body(sex: str, height_cm: float, weight_kg: float, why: str) -> OpenBody:
    from echo3d.anatomy.proportions import TorsoRecord, record_to_json
    from echo3d.anatomy.torso import own_chest

    record = TorsoRecord(height_cm, weight_kg, sex)
    chest = own_chest(record)
    said = f"our own body of {height_cm:g} cm and {weight_kg:g} kg ({record.sex}): {why}"
    return OpenBody(chest, {"kind": "own", "record": record_to_json(record)} | _measures(chest), (said,))


def _body_of_file(path: Path, person: Body | None) -> OpenBody:
    from echo3d.anatomy.furnish import chest_in
    from echo3d.io.bodies import read_body

    if not path.suffix:
        raise InputError(f"a body is the word {OWN}, sex:height:weight such as m:178:80, or a mesh file, found none of these; name one")
    found, sex = read_body(path), "m" if person is None else person.sex
    chest = chest_in(found.mesh, sex=sex)
    whose = "a man's" if sex == "m" else "a woman's"
    said = (
        found.stated,
        f"stature {chest.marks.stature:.0f} mm, told by {_TOLD[chest.marks.stature_from]}",
        f"bones and lungs are not the body's own: {whose} of its size, fitted into its skin",
    )
    origin = {name: getattr(found, name) for name in ("part", "unit", "up", "front", "winding")}
    return OpenBody(chest, {"kind": "file", "file": path.name} | origin | _measures(chest), said)


_TOLD = {"given": "the user", "whole body": "the whole body", "head": "the head and the neck", "chest": "the chest, roughly"}


def _measures(chest: Chest) -> dict[str, Any]:
    marks = chest.marks
    return {"stature_mm": round(float(marks.stature), 1), "stature_from": marks.stature_from, "bmi": round(float(marks.bmi), 1)}


def stand(guest: Guest, body: OpenBody, *, room: Room | None = None) -> Standing:
    """Return a heart as it stands in a body by default, with lungs that leave it room.

    Parameters
    ----------
    guest : the heart
    body : see :func:`open_body`
    room : tells of points (..., 3) mm in the heart's frame whether the heart ever lies there; None asks ``guest``
    """
    from echo3d.anatomy.chest import beyond_chest_mm, whole_body
    from echo3d.anatomy.outline import outline_of, placed_outline
    from echo3d.anatomy.placement import pose_of
    from echo3d.anatomy.proportions import over_sternum

    shape, pivot = outline_of(guest.look_up, guest.landmarks), np.asarray(guest.landmarks["heart"], float)
    pose = pose_of(body.chest.marks, guest.landmarks, shape.chambers, scale=guest.scale)

    def taken(points: NDArray) -> NDArray[np.bool_]:
        here = unplace(points, pose, pivot)
        return guest.look_up(here) > 0 if room is None else room(here)

    there = placed_outline(shape, pose, pivot)
    beyond = beyond_chest_mm(body.chest, there.chambers)
    press_mm = PRESSED * over_sternum(body.chest.marks.bmi)
    return Standing(whole_body(body.chest, taken), pose, pivot, there.surface, press_mm, misfit(beyond))


def misfit(beyond: NDArray) -> tuple[str, ...]:
    """Return a sentence where parts of a heart's chambers lie far in the chest's wall; ``beyond`` (K,) mm tells how far each place does."""
    deepest = float(beyond.max())
    if deepest <= DEEPEST_MM:
        return ()
    share = 100 * float((beyond > 0).mean())
    return (
        f"The heart does not fit into this chest: {share:.1f} % of its chambers lie in ribs, spine or outside, {deepest:.0f} mm at most; "
        "give a larger body or a smaller heart.",
    )


def hold_probes(standing: Standing, fans: Mapping[View, Sector]) -> dict[View, Probe]:
    """Return the probes after a hand has put each on the skin and slid it to its best window; see :func:`held`."""
    return {view: held(standing, fan) for view, fan in fans.items()}


def held(standing: Standing, fan: Sector) -> Probe:
    """Return one probe on the skin where fewest of its beams are stopped; a fan that meets no skin stays where it is."""
    from echo3d.anatomy.window import best_window, on_skin

    try:
        best, _ = best_window(standing.body, standing.surface, fan, press_mm=standing.press_mm)
        first = on_skin(standing.body, fan, press_mm=standing.press_mm)
    except InputError:
        return Probe(fan, False, 0.0)
    return Probe(best, True, float(np.linalg.norm(best.origin - first.origin)))


def window_facts(window: Window) -> dict[str, Any]:
    """Return the acoustic window as plain JSON values: shares of the beams aimed at the heart."""
    return {
        "blocked": round(window.share, 4),
        "blocked_by_bone": round(window.share_of(*BONES), 4),
        "blocked_by_lung": round(window.share_of(*LUNGS), 4),
        "beams_at_heart": round(float(np.isfinite(window.heart_mm).mean()), 4),
    }


def pose_facts(standing: Standing) -> dict[str, Any]:
    """Return how a heart was placed, plain JSON values: p' = scale R (p - pivot) + pivot + translation, R = R_z R_y R_x of the angles."""
    pose = standing.pose
    return {
        "translation": [round(float(v), 4) for v in pose.translation],
        "rotation": [round(float(v), 4) for v in pose.rotation],
        "scale": round(float(pose.scale), 6),
        "pivot": [round(float(v), 4) for v in standing.pivot],
    }


def moved_fan(fan: Sector, pose: Pose, pivot: NDArray, *, back: bool = False) -> Sector:
    """Return a fan carried along by a pose about ``pivot`` without its scale, or brought back."""
    rigid = Pose(pose.translation, pose.rotation, 1.0)
    turn = rigid.matrix.T if back else rigid.matrix
    origin = unplace(fan.origin, rigid, pivot) if back else place(fan.origin, rigid, pivot)
    return replace(fan, origin=origin, axis=turn @ fan.axis, lateral=turn @ fan.lateral)
