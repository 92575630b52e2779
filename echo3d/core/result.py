"""What a reconstruction says: one heart per phase, and the numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.images import EchoClip
from echo3d.core.sector import Sector
from echo3d.core.views import View


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """The heart of one phase as the network sees it, in the template's frame.

    Parameters
    ----------
    phase : "ED", "ES" or "frame"
    points : (N, 3) material points of the template, moved; mm (free units where not calibrated)
    sigma_mm : (N,) expected error of each point
    planes : per view the fan in the template's frame that the picture is believed to show
    trust : in [0, 1]; how much the pictures look like heart views (below ``TRUST_FLOOR`` a result is flagged)
    planes_by : name of the weights that gave the planes; empty for those that gave the heart
    view_trust : per view the same of its picture alone, in [0, 1]; empty where it is not known
    """

    phase: str
    points: NDArray[np.float64]
    sigma_mm: NDArray[np.float64]
    planes: dict[View, Sector]
    trust: float
    planes_by: str = ""
    view_trust: dict[View, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        object.__setattr__(self, "sigma_mm", frozen_array(self.sigma_mm, np.float64, (len(self.points),), "sigma_mm"))


TRUST_FLOOR = 0.35
"""Below this trust over the beat the pictures are taken for no heart views, and every number is withheld.

Nineteen of twenty genuine drawn pictures, one view alone, are trusted by more than 0.6; nineteen of twenty of plain noise by less than 0.5
and half of them by less than 0.01 (both phases of 60 validation patients). A beat is the mean of up to 25 such instants.
"""

SURE_TRUST = 0.7
"""Below this trust the numbers are shown with a doubt; real pictures are trusted less than drawn ones."""


@dataclass(frozen=True, slots=True)
class VentricularFunction:
    """Volumes in ml and ejection fraction as a fraction.

    ``interval90`` holds per quantity ("edv_ml", "esv_ml", "sv_ml", "ef", and "rv_ed_ml", "rv_es_ml", "la_ed_ml" and so on for the other
    chambers) a 90 % interval (low, high).
    """

    edv_ml: float
    esv_ml: float
    volumes_ml: dict[str, dict[str, float]]
    interval90: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def sv_ml(self) -> float:
        """Stroke volume, ml."""
        return self.edv_ml - self.esv_ml

    @property
    def ef(self) -> float:
        """Ejection fraction as a fraction.

        >>> VentricularFunction(100.0, 40.0, {}).ef
        0.6
        """
        return (self.edv_ml - self.esv_ml) / self.edv_ml


@dataclass(frozen=True, slots=True, eq=False)
class Beat:
    """Hearts over one cycle.

    Parameters
    ----------
    points : (T, N, 3) float32 material points, mm, in one common frame
    times_ms : (T,) from end-diastole
    lv_ml : (T,) LV volume
    """

    points: NDArray[np.float32]
    times_ms: NDArray[np.float64]
    lv_ml: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """Everything that is shown, written and reported of one study.

    Parameters
    ----------
    pseudonym : stands for the patient
    clips : the clip used for each view
    ed_frame, es_frame : the frames used, per view
    ed, es : the two hearts, in one common frame
    function : the numbers
    beat : the hearts over the cycle
    calibrated : whether lengths are true; if not, volumes are withheld and only the EF is given
    trust : in [0, 1]; how much the pictures of the whole beat look like the views they are read as
    model : name of the weights
    warnings : one sentence each
    """

    pseudonym: str
    clips: dict[View, EchoClip]
    ed_frame: dict[View, int]
    es_frame: dict[View, int]
    ed: Reconstruction
    es: Reconstruction
    function: VentricularFunction
    beat: Beat
    calibrated: bool
    trust: float
    model: str
    warnings: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Return whether the pictures look like heart views at all; if not, every number is withheld."""
        return self.trust >= TRUST_FLOOR

    @property
    def sure(self) -> bool:
        """Return whether they look like the views they are read as; if not, the numbers carry a doubt."""
        return self.trust >= SURE_TRUST
