"""From the clips of a study to the hearts over one beat, and the frames of end-diastole and end-systole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo3d.clinical.alignment import hold_still
from echo3d.clinical.function import extreme_phases, smooth_curve, unsteadiness
from echo3d.clinical.phases import BeatWindow, beat_window, lag_between
from echo3d.core.images import EchoClip, EchoSet
from echo3d.core.mesh import Template
from echo3d.core.result import Beat, Reconstruction
from echo3d.core.study import PatientStudy
from echo3d.core.views import View

if TYPE_CHECKING:
    from echo3d.reconstruction.reconstruct import S2MModel

MOST_PHASES = 25
"""Hearts per beat; as many as the synthetic beats have."""


@dataclass(frozen=True, slots=True, eq=False)
class RawBeat:
    """The hearts over one beat as the network gives them, and which of them are the two phases.

    Parameters
    ----------
    windows : the beat in each clip
    hearts : at equal steps of the beat
    ed, es : indices into ``hearts``
    """

    windows: dict[View, BeatWindow]
    hearts: list[Reconstruction]
    ed: int
    es: int

    def frames(self, index: int, chosen: Mapping[View, int]) -> dict[View, int]:
        """Return the frame of each view at a heart; the user's choice wins."""
        return {view: chosen.get(view, window.frame(index / len(self.hearts))) for view, window in self.windows.items()}


def images_at(clips: Mapping[View, EchoClip], frames: Mapping[View, int]) -> EchoSet:
    """Return the pictures of the given frames."""
    return EchoSet({view: clip.image(frames[view]) for view, clip in clips.items()})


def find_windows(study: PatientStudy, clips: Mapping[View, EchoClip], model: S2MModel) -> dict[View, BeatWindow]:
    """Return the beat in each clip.

    It starts at the user's frame or the R wave. Where a clip has neither, a quick look at that view alone gives its volume curve, which is
    laid over the curve of the clearest view; only how the views lie to each other is taken from there, ED itself from all views together.
    """
    windows = {view: beat_window(clip, ed_frame=study.ed_frame.get(view)) for view, clip in clips.items()}
    unknown = [view for view, window in windows.items() if not window.known_start and window.count > 1]
    if not unknown or len(windows) == 1:
        return windows
    curves = _quick_curves(model, clips, windows)
    known = [view for view in windows if windows[view].known_start]
    clearest = max(known or unknown, key=lambda view: _clearness(curves[view]))
    for view in unknown:
        windows[view] = replace(windows[view], start=windows[view].frame(lag_between(curves[view], curves[clearest])))
    return windows


def _clearness(curve: NDArray) -> float:
    """Return how far a curve swings for its mean, less for one that jumps."""
    return float(np.ptp(curve) / curve.mean()) * (1.0 - min(1.0, 5.0 * unsteadiness(curve)))


def _quick_curves(model: S2MModel, clips: Mapping[View, EchoClip], windows: Mapping[View, BeatWindow]) -> dict[View, NDArray[np.float64]]:
    """Return the smoothed LV volume over each clip's beat as that clip alone shows it."""
    from echo3d.reconstruction.reconstruct import reconstruct

    shares = {view: np.arange(_phases(window)) / _phases(window) for view, window in windows.items()}
    sets = [EchoSet({view: clip.image(windows[view].frame(share))}) for view, clip in clips.items() for share in shares[view]]
    hearts = iter(reconstruct(model, sets, ["frame"] * len(sets), refine=False))
    curves = {view: lv_curve(model.template, [next(hearts) for _ in shares[view]]) for view in clips}
    return {view: smooth_curve(curve, periodic=True) for view, curve in curves.items()}


def _phases(*windows: BeatWindow) -> int:
    """Return how many hearts a beat is sampled at: as many as its frames, 25 at most."""
    return int(np.clip(round(max(window.length for window in windows)), 1, MOST_PHASES))


def lv_curve(template: Template, hearts: Sequence[Reconstruction]) -> NDArray[np.float64]:
    """Return the (T,) LV volumes of the hearts, ml."""
    return np.array([template.volumes_ml(heart.points)["lv"] for heart in hearts])


def mean_trust(raw: RawBeat) -> float:
    """Return how much the pictures of the whole beat look like heart views, in [0, 1]."""
    return float(np.mean([heart.trust for heart in raw.hearts]))


def reconstruct_beat(model: S2MModel, clips: Mapping[View, EchoClip], windows: dict[View, BeatWindow]) -> RawBeat:
    """Return the hearts at equal steps of the beat, all views together, and which are ED and ES.

    ED is the beat's start where an R wave or the user gave one, else the largest LV; ES is the smallest LV.
    """
    from echo3d.reconstruction.reconstruct import reconstruct

    count = _phases(*windows.values())
    sets = [images_at(clips, {view: window.frame(k / count) for view, window in windows.items()}) for k in range(count)]
    hearts = reconstruct(model, sets, ["frame"] * count, refine=False)
    known = any(window.known_start for window in windows.values())
    ed, es = extreme_phases(smooth_curve(lv_curve(model.template, hearts), periodic=True), ed=0 if known else None)
    return RawBeat(windows, hearts, ed, es)


def beat_of(template: Template, raw: RawBeat, fixed: Reconstruction, moves: tuple[NDArray, NDArray]) -> Beat:
    """Return the beat from end-diastole on, in the frame of ``fixed``, smoothed over time.

    Parameters
    ----------
    moves : (N, 3) mm each, by what a closer look moved the hearts of end-diastole and end-systole; hearts between are moved in part, by how
        far the LV has emptied
    """
    hearts = [*raw.hearts[raw.ed :], *raw.hearts[: raw.ed]]
    points = smooth_curve(np.stack([heart.points for heart in hold_still(template, hearts, fixed)]), periodic=True)
    emptied = _emptied(np.array([template.volumes_ml(heart)["lv"] for heart in points]))[:, None, None]
    points = points + (1 - emptied) * moves[0] + emptied * moves[1]
    length_ms = np.mean([window.length * window.frame_ms for window in raw.windows.values()])
    times = np.arange(len(hearts)) / len(hearts) * length_ms
    volumes = np.array([template.volumes_ml(heart)["lv"] for heart in points])
    return Beat(points.astype(np.float32), times, volumes)


def _emptied(volumes: NDArray) -> NDArray[np.float64]:
    """Return how far the LV has emptied at each of (T,) volumes, from 0 at the largest to 1 at the smallest; 0 where nothing moves.

    >>> _emptied(np.array([120.0, 90.0, 60.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    spread = float(np.ptp(volumes))
    return (volumes.max() - volumes) / spread if spread > 0 else np.zeros(len(volumes))
