"""Which clips a heart is made of."""

from __future__ import annotations

import numpy as np

from echo3d.core.images import EchoClip, Source
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.intake import moving_only, same_scale


def clip(view: View, *, frames: int = 5, pixel_mm: float | None = 0.5) -> EchoClip:
    spacing = None if pixel_mm is None else (pixel_mm, pixel_mm)
    return EchoClip(view, np.zeros((frames, 8, 8), np.uint8), spacing, None, Source("clip.dcm", "user"), Fan(0, 4, 40, 8))


def test_stills_give_way_to_moving_clips() -> None:
    clips = {View.A4C: clip(View.A4C), View.A2C: clip(View.A2C, frames=1)}
    kept, notes = moving_only(clips)
    assert set(kept) == {View.A4C}
    assert "Apical 2-chamber" in notes[0]


def test_stills_alone_are_kept() -> None:
    clips = {View.A4C: clip(View.A4C, frames=1), View.A2C: clip(View.A2C, frames=1)}
    assert moving_only(clips) == (clips, [])


def test_a_minority_without_calibration_is_left_out() -> None:
    clips = {View.A4C: clip(View.A4C), View.A2C: clip(View.A2C, pixel_mm=None)}
    kept, notes = same_scale(clips)
    assert set(kept) == {View.A4C}
    assert "Apical 2-chamber" in notes[0]


def test_a_minority_with_calibration_loses_it() -> None:
    views = (View.A4C, View.A2C, View.A3C)
    clips = {view: clip(view, pixel_mm=0.5 if view is View.A4C else None) for view in views}
    kept, notes = same_scale(clips)
    assert set(kept) == set(views)
    assert all(one.pixel_mm is None for one in kept.values())
    assert len(notes) == 1


def test_equal_clips_pass() -> None:
    for pixel_mm in (0.5, None):
        clips = {view: clip(view, pixel_mm=pixel_mm) for view in View}
        assert same_scale(clips) == (clips, [])
