"""From a study to the clips that one heart is made of, and what is to be said about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from echo3d.core.images import EchoClip, EchoSet
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.errors import InputError

if TYPE_CHECKING:
    from echo3d.reconstruction.reconstruct import S2MModel

_TRIED_CLIPS = 6
_TRIED_FRAMES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """What is reconstructed.

    Parameters
    ----------
    clips : the clip of each view
    calibrated : whether every clip has a scale
    warnings : one sentence each
    """

    clips: dict[View, EchoClip]
    calibrated: bool
    warnings: tuple[str, ...]


def choose_clips(study: PatientStudy, model: S2MModel) -> Intake:
    """Return the clips to reconstruct from.

    Recognised views come first; where none is, every clip is tried as each apical view and the most trusted reading is taken. Stills give
    way to moving clips, and a minority without calibration gives way to calibrated clips.

    Raises
    ------
    InputError
        If the study holds no clip.
    """
    if not study.clips:
        raise InputError("a study must hold at least one echo clip, found none; give another folder or file")
    clips, notes = study.by_view(), list(study.warnings)
    if not clips:
        view, clip = guessed(study, model)
        clips = {view: clip}
        notes.append(
            f"The view of the clip is not recognised; it is read as {view.title}, the apical view that it fits best; "
            "name it with --view to be sure."
        )
    elif unknown := sum(clip.view is None for clip in study.clips):
        notes.append(f"Clips whose view is not recognised are left out ({unknown}); name their view with --view to use them.")
    clips, left_out = moving_only(clips)
    clips, unscaled = same_scale(clips)
    warnings = [*notes, *left_out, *unscaled, *_source_warnings(clips)]
    calibrated = all(clip.pixel_mm is not None for clip in clips.values())
    return Intake(dict(sorted(clips.items())), calibrated, tuple(dict.fromkeys(warnings)))


def guessed(study: PatientStudy, model: S2MModel) -> tuple[View, EchoClip]:
    """Return the apical view and the clip that the network trusts most when it is told that the clip shows the view."""
    from echo3d.reconstruction.reconstruct import reconstruct

    readings = [(view, clip) for clip in study.clips[:_TRIED_CLIPS] for view in View if view.apical]
    frames = [sorted({k * (len(clip.frames) - 1) // (_TRIED_FRAMES - 1) for k in range(_TRIED_FRAMES)}) for _, clip in readings]
    sets = [EchoSet({view: clip.image(k)}) for (view, clip), chosen in zip(readings, frames, strict=True) for k in chosen]
    trusts = iter([heart.trust for heart in reconstruct(model, sets, ["frame"] * len(sets), refine=False)])
    means = [sum(next(trusts) for _ in chosen) / len(chosen) for chosen in frames]
    view, clip = readings[max(range(len(readings)), key=means.__getitem__)]
    said = tuple(text for text in clip.source.warnings if "--view" not in text)
    return view, replace(clip, view=view, source=replace(clip.source, warnings=said))


def moving_only(clips: dict[View, EchoClip]) -> tuple[dict[View, EchoClip], list[str]]:
    """Return the clips of more than one frame, all where there is none, and what is to be said."""
    moving = {view: clip for view, clip in clips.items() if len(clip.frames) > 1}
    if not moving or len(moving) == len(clips):
        return clips, []
    stills = ", ".join(view.title for view in clips if view not in moving)
    return moving, [f"Views given as a single picture are left out, because the others move: {stills}."]


def same_scale(clips: dict[View, EchoClip]) -> tuple[dict[View, EchoClip], list[str]]:
    """Return the calibrated clips where they are at least half, all where not, and what is to be said."""
    scaled = {view: clip for view, clip in clips.items() if clip.pixel_mm is not None}
    if not scaled or len(scaled) == len(clips):
        return clips, []
    others = ", ".join(view.title for view in clips if view not in scaled)
    if 2 * len(scaled) >= len(clips):
        return scaled, [f"Views without calibration are left out, because the others have it: {others}."]
    unscaled = {view: replace(clip, pixel_mm=None) for view, clip in clips.items()}
    return unscaled, [f"Most views carry no calibration ({others}), so none is taken to have one."]


def _source_warnings(clips: dict[View, EchoClip]) -> list[str]:
    """Return what the readers said of the clips used, with the view each belongs to."""
    return [f"{view.title}: {warning}" for view, clip in clips.items() for warning in clip.source.warnings]
