"""Real clips as a domain of the style transfer: on the network's raster, masked by the fan, split by patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.io.clipfolder import ClipFolder, FolderClip, read_clip_folder
from echo3d.io.names import short_hash
from echo3d.reconstruction.raster import to_network

HELD_SHARE = 0.2
"""Share of the patients that is held back."""

Stack = tuple[NDArray[np.uint8], NDArray[np.bool_]]
"""Pictures and masks (N, H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class RealDomain:
    """Frames of real clips.

    Parameters
    ----------
    seen, held : pictures to learn from, and of the patients that are held back; both the same where there is one patient only
    notes : sentences for the user
    told : counts, plain JSON values
    """

    seen: Stack
    held: Stack
    notes: tuple[str, ...]
    told: dict[str, Any]


def read_domain(folder: Path) -> RealDomain:
    """Return the frames of a folder of clips.

    Raises
    ------
    InputError
        If nothing in it is fit to learn from.
    """
    found = read_clip_folder(folder)
    seen, held, said = dealt(found)
    told = {"clips": len(found.clips), "patients": len({clip.person for clip in found.clips})}
    stacks = frames_of(seen), frames_of(held)
    return RealDomain(*stacks, (*found.notes, *said), told | {"real": len(stacks[0][0]), "real_held": len(stacks[1][0])})


def dealt(found: ClipFolder) -> tuple[list[FolderClip], list[FolderClip], list[str]]:
    """Return the clips to learn from, those held back, and what is to be said; one patient's are on one side."""
    people = sorted({clip.person for clip in found.clips}, key=short_hash)
    if len(people) == 1:
        return (
            list(found.clips),
            list(found.clips),
            ["All clips are one patient's, so that none can be held back; the sheets show learned ones."],
        )
    held = set(people[: max(1, round(HELD_SHARE * len(people)))])
    return [clip for clip in found.clips if clip.person not in held], [clip for clip in found.clips if clip.person in held], []


def frames_of(clips: list[FolderClip]) -> Stack:
    """Return the grey frames of clips on the network's raster, with what was seen of them."""
    both = [to_network(clip.clip.image(index)) for clip in clips for index in clip.frames]
    pictures, masks = np.stack([one[0] for one in both]), np.stack([one[1] for one in both])
    return np.rint(255 * pictures).astype(np.uint8), masks > 0
