"""Echo pictures: one frame, a clip over time, the images of one phase."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.sector import Fan
from echo3d.core.views import View


class Frames(Protocol):
    """Grey frames by index, decoded when asked for; a (T, H, W) uint8 array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True, eq=False)
class EchoImage:
    """One grey echo picture.

    Parameters
    ----------
    view : the view, or None where it is not known
    pixels : (H, W) float32 in [0, 1] [depth row, lateral column]
    pixel_mm : (row, column) spacing in mm, or None where the picture is not calibrated
    fan : the fan in pixels of this picture
    """

    view: View | None
    pixels: NDArray[np.float32]
    pixel_mm: tuple[float, float] | None
    fan: Fan

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", frozen_array(self.pixels, np.float32, (None, None), "pixels"))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a clip came from, free of names and paths.

    Parameters
    ----------
    label : base name of the file, or a short hash where it may carry a name
    recognised_by : "view code", "description", "file name", "user", or "not recognised"
    stand_in : whether the view is a neighbour read as the nearest of the six (parasternal long axis for A3C)
    warnings : one sentence each
    """

    label: str
    recognised_by: str
    stand_in: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EchoClip:
    """A cine of one view.

    Parameters
    ----------
    view : the view, or None where it is not known
    frames : grey uint8 frames by index
    pixel_mm : (row, column) spacing in mm, or None
    frame_ms : (T,) start time of each frame in ms from the first, or None where unknown
    source : where it came from
    fan : the fan, the same for all frames
    r_waves_ms : times of R waves in ms from the first frame, possibly empty
    """

    view: View | None
    frames: Frames
    pixel_mm: tuple[float, float] | None
    frame_ms: NDArray[np.float64] | None
    source: Source
    fan: Fan
    r_waves_ms: tuple[float, ...] = ()

    def image(self, index: int) -> EchoImage:
        """Return one frame as an image in [0, 1]."""
        return EchoImage(self.view, np.asarray(self.frames[index], dtype=np.float32) / 255.0, self.pixel_mm, self.fan)


@dataclass(frozen=True, slots=True, eq=False)
class EchoSet:
    """The images of one phase, at most one per view; missing views are simply absent."""

    images: dict[View, EchoImage] = field(default_factory=dict)
