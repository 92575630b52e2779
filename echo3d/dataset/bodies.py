"""The body that the hearts of a data set stand in: its skin holds the probes, its bones and lungs shade the echo pictures."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.window import Obstacles, Window, acoustic_window, obstacles_of
from echo3d.bodies import OWN, Guest, OpenBody, Standing, held, open_body, pose_facts, stand, window_facts
from echo3d.core.body import BodyMesh
from echo3d.core.pose import place
from echo3d.core.sector import Sector
from echo3d.errors import InputError
from echo3d.slicing.standard import SectorDraw, jittered

if TYPE_CHECKING:
    from echo3d.anatomy.record import Body
    from echo3d.dataset.hearts import PhasedHeart

_BEYOND_MM = 110.0
"""Farther than this beyond half a fan's depth from its middle nothing is met by a probe that is slid about."""
_WRITTEN = re.compile(r"[a-z]+:[\d.]+:[\d.]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Stand:
    """A heart where it stands in a body.

    Parameters
    ----------
    standing : the heart in the body, in the body's frame
    obstacles : the body's bones and lungs
    landmarks : the heart's, there, (3,) mm by name
    about : plain JSON values: the body and how the heart was placed in it
    """

    standing: Standing
    obstacles: Obstacles
    landmarks: dict[str, NDArray[np.float64]]
    about: dict[str, Any]

    def hold(self, standard: Sector, hand: SectorDraw) -> tuple[Sector, bool]:
        """Return a standard fan as a hand holds it on the skin, slid to its best window nearby, and whether there is skin.

        The skin decides how far the probe stands from the heart, not the drawn standoff, as in ``echo3d simulate --body``.
        """
        fan = jittered(standard, replace(hand, standoff=0.0))
        probe = held(replace(self.standing, body=near(self.standing.body, fan)), fan)
        if not probe.on_skin:
            probe = held(self.standing, fan)
        return probe.sector, probe.on_skin

    def window(self, fan: Sector, lines: int) -> Window:
        """Return what so many beams of a fan meet."""
        return acoustic_window(self.obstacles, self.standing.surface, fan, lines=lines)

    def told(self, fan: Sector, *, on_skin: bool) -> dict[str, Any]:
        """Return the acoustic window of a fan, plain JSON values."""
        return {"on_skin": on_skin} | window_facts(self.window(fan, 96))


def near(body: BodyMesh, fan: Sector) -> BodyMesh:
    """Return what of a body a probe can touch or look through before it sees the heart's far side; the rest only costs time.

    The probe is slid by ``best_window`` at most 43 mm and its beams are aimed at the middle of the fan.
    """
    middle = fan.origin + 0.5 * fan.depth * fan.axis
    away = body.points - middle
    within = (away @ fan.axis < 0.5 * fan.depth) & (np.einsum("ni,ni->n", away, away) < (0.5 * fan.depth + _BEYOND_MM) ** 2)
    kept = within[body.faces].any(axis=1)
    return BodyMesh(body.points, body.faces[kept], body.labels[kept])


def stand_of(word: str, heart: PhasedHeart) -> Stand:
    """Return a heart as it stands in the body that a word names, its lungs leaving room to every phase of it.

    Raises
    ------
    InputError
        If the body cannot be made out.
    """
    body = _opened(word, _asked(word, heart.person))
    seen = [phase.labels for phase in heart.phases.values()]

    def ever(points: NDArray) -> NDArray[np.bool_]:
        return np.asarray(np.logical_or.reduce([labels.look_up(points) > 0 for labels in seen]))

    guest = Guest(seen[0].look_up, heart.landmarks, 1.0 if heart.keeps_size else None)
    standing = stand(guest, body, room=ever)
    marks = {name: place(point, standing.pose, standing.pivot) for name, point in heart.landmarks.items()}
    about = body.facts | {"placement": pose_facts(standing), "warnings": list(standing.warnings)}
    return Stand(standing, obstacles_of(standing.body), marks, about)


def _asked(word: str, person: Body | None) -> Body | None:
    """Return as much of a heart's person as decides the body: all of it for its own, nothing for one that is written out, else the sex."""
    if person is None or word == OWN:
        return person
    return None if _WRITTEN.fullmatch(word) is not None else type(person)(person.sex)


@lru_cache(maxsize=4)
def _opened(word: str, person: Body | None) -> OpenBody:
    """Return a body, which is made out once per process for all hearts that share it."""
    return open_body(word, person)


def body_digest(word: str) -> dict[str, str]:
    """Return name and hash of a body, plain JSON values: a file's by its bytes, one of ours by the words that make it.

    Raises
    ------
    InputError
        If there is no such body.

    >>> body_digest("m:178:80")["name"]
    'm:178:80'
    """
    path = Path(word)
    if path.is_file():
        return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if word != OWN and _WRITTEN.fullmatch(word) is None:
        name = path.name[:60]
        raise InputError(f"a body must be {OWN}, sex:height:weight such as m:178:80, or a mesh file, found no file {name!r}; give another")
    return {"name": word, "sha256": hashlib.sha256(json.dumps({"body": word.lower()}).encode()).hexdigest()}
