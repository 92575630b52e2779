"""A patient's echo study, without the patient."""

from __future__ import annotations

from dataclasses import dataclass

from echo3d.core.images import EchoClip
from echo3d.core.views import View


@dataclass(frozen=True, slots=True, eq=False)
class PatientStudy:
    """Up to six clips of one patient.

    Parameters
    ----------
    pseudonym : short hash that stands for the patient
    clips : every readable clip, recognised or not
    ed_frame, es_frame : per view the frame chosen by the user; a missing view is proposed automatically
    glps_percent : global longitudinal peak strain if known, negative
    warnings : one sentence each
    """

    pseudonym: str
    clips: tuple[EchoClip, ...]
    ed_frame: dict[View, int]
    es_frame: dict[View, int]
    glps_percent: float | None = None
    warnings: tuple[str, ...] = ()

    def by_view(self) -> dict[View, EchoClip]:
        """Return the clip used for each view: the first one recognised as it."""
        chosen: dict[View, EchoClip] = {}
        for clip in self.clips:
            if clip.view is not None:
                chosen.setdefault(clip.view, clip)
        return chosen
