"""The population table: normal drawn hearts against published means and standard deviations.

Volumes are held against cardiac MR, because a surface that encloses all blood is what MR contours draw (2-D echo reads them a third
smaller); muscle and walls against CT, where the template comes from; annuli against MR; the aortic root against echo, the only source.
*Source:* reference science.md E.8, row by row in :data:`REFERENCES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from echo3d.anatomy.measure import Measures
from echo3d.core.body import SEXES


@dataclass(frozen=True, slots=True)
class Reference:
    """Published mean and standard deviation of one quantity in men and women, in the unit of :class:`Measures`.

    Parameters
    ----------
    title, unit : as shown
    men, women : mean, standard deviation
    source : study and modality
    """

    title: str
    unit: str
    men: tuple[float, float]
    women: tuple[float, float]
    source: str


_MR, _CT = "Hudsmith 2005, MR", "PMC7758747 table 3, CT"
_RA = "97.5th centiles of the Copenhagen GPS, CT, taken back to a mean with a coefficient of variation of 0.25 at 1.97 and 1.77 m2"

REFERENCES: dict[str, Reference] = {
    "lv_edv_ml": Reference("LV EDV", "ml", (160, 29), (135, 26), _MR),
    "lv_esv_ml": Reference("LV ESV", "ml", (50, 16), (42, 12), _MR),
    "rv_edv_ml": Reference("RV EDV", "ml", (190, 33), (148, 35), _MR),
    "rv_esv_ml": Reference("RV ESV", "ml", (78, 20), (56, 18), _MR),
    "la_max_ml": Reference("LA, largest", "ml", (103, 30), (89, 21), _MR),
    "ra_max_ml": Reference("RA, largest", "ml", (112, 28), (87, 22), _RA),
    "lv_mass_g": Reference("LV muscle", "g", (145, 29), (108, 20), _CT),
    "septum_mm": Reference("Septum", "mm", (10.8, 1.8), (9.0, 1.7), _CT),
    "posterior_mm": Reference("Posterior wall", "mm", (9.1, 1.5), (7.8, 1.0), _CT),
    "mitral_ap_mm": Reference("Mitral annulus, A3C", "mm", (29, 4), (26, 4), "UK Biobank n = 721, MR"),
    "tricuspid_mm": Reference("Tricuspid annulus, A4C", "mm", (32, 5), (29, 4), "UK Biobank n = 721, MR"),
    "aortic_annulus_mm": Reference("Aortic annulus", "mm", (26, 3), (23, 2), "ASE 2015, echo (unconfirmed)"),
    "aortic_sinus_mm": Reference("Aortic sinus", "mm", (34, 3), (30, 3), "ASE 2015, echo"),
}
"""What normal hearts are held against."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ours beside the reference, and how many of its standard deviations lie between the means."""

    name: str
    sex: str
    count: int
    mean: float
    sd: float
    reference: tuple[float, float]

    @property
    def z(self) -> float:
        """Our mean's distance from the reference's mean in its standard deviations."""
        return (self.mean - self.reference[0]) / self.reference[1]


def population_table(hearts: Sequence[tuple[str, Measures]]) -> list[Row]:
    """Return the table of normal hearts, each given as sex and numbers; men first, quantities in the order of :data:`REFERENCES`.

    >>> population_table([])
    []
    """
    rows = []
    for sex in SEXES:
        group = [found for one, found in hearts if one == sex]
        for name, reference in REFERENCES.items() if group else ():
            values = np.array([getattr(found, name) for found in group])
            rows.append(
                Row(name, sex, len(group), float(values.mean()), float(values.std()), reference.men if sex == "m" else reference.women)
            )
    return rows
