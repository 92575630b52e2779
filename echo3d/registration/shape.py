"""What hearts look like: the principal shapes of a drawn cohort, which a registration leans on where a target says little."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.errors import ModelError
from echo3d.paths import resource

FILE = "registration/shape.npz"


@dataclass(frozen=True, slots=True, eq=False)
class ShapePrior:
    """A heart is ``template + mean + coefficients @ modes``, its coefficients about one each.

    Parameters
    ----------
    mean : (N, 3) mm
    modes : (K, N, 3) float32 mm, one standard deviation each, largest first
    """

    mean: NDArray[np.float64]
    modes: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", frozen_array(self.mean, np.float64, (None, 3), "mean"))
        object.__setattr__(self, "modes", frozen_array(self.modes, np.float32, (None, len(self.mean), 3), "modes"))


@cache
def load_shape(template_sha256: str) -> ShapePrior:
    """Return the shipped principal shapes.

    Raises
    ------
    ModelError
        If they belong to another template.
    """
    with np.load(resource(FILE), allow_pickle=False) as data:
        if str(data["template_sha256"]) != template_sha256:
            raise ModelError("the shapes of registration must belong to the template, found another one's; make them with training.shapes")
        modes = data["modes"].astype(np.float32) * data["steps"][:, None, None]
        return ShapePrior(data["mean"].astype(float), modes)
