"""The measures of a trunk by height, weight and sex: levels, skeleton and girth, from published anthropometry."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.core.body import SEXES
from echo3d.errors import InputError

_OLD_SEXES = {"male": "m", "female": "f"}
REFERENCE_MM = 1756.0
"""Stature of the man whose measures the tables below give, mm. *Source:* ANSUR 1988 (Gordon et al. 1989), mean of men."""

_SKELETON = np.array([
    (60, 38, 10, 52), (45, 48, 18, 60), (15, 66, 36, 74), (0, 86, 50, 83), (-20, 104, 62, 90), (-45, 118, 77, 96), (-65, 126, 84, 99),
    (-90, 132, 92, 101), (-115, 137, 98, 102), (-140, 140, 102, 102), (-165, 140, 104, 101), (-195, 136, 105, 97), (-230, 129, 104, 91),
    (-270, 119, 100, 82),
], dtype=float)  # fmt: skip
"""Outer surface of the rib cage: height over the suprasternal notch, half breadth, depth before and behind the middle, mm.
*Source:* our choice after the reference man's chest: breadth over ribs 280 mm, depth 205 mm; thoracic inlet 130 mm wide, 65 mm deep
(Gray's Anatomy), notch at the disc T2/T3, sternal angle at T4/T5, lowest rib at L2/L3."""

_SKIN = {
    "m": np.array([
        (20, 96, 55, 88), (0, 122, 63, 98), (-50, 152, 92, 112), (-100, 164, 107, 116), (-140, 164, 114, 115), (-180, 160, 117, 111),
        (-230, 154, 117, 104), (-300, 150, 114, 95), (-350, 152, 114, 94), (-400, 161, 113, 102), (-450, 170, 107, 115),
        (-500, 175, 100, 121), (-560, 176, 98, 118),
    ], dtype=float),
    "f": np.array([
        (20, 92, 50, 80), (0, 112, 57, 90), (-50, 134, 83, 102), (-100, 146, 97, 107), (-140, 146, 103, 106), (-180, 141, 105, 100),
        (-230, 133, 103, 93), (-300, 128, 99, 86), (-350, 135, 100, 88), (-400, 152, 101, 100), (-450, 168, 99, 114),
        (-500, 178, 95, 122), (-560, 181, 94, 120),
    ], dtype=float),
}  # fmt: skip
"""Shape of the trunk without shoulders and breasts, same columns; its girths are then made those of ``GIRTHS``. Our choice, by eye."""

GIRTHS = {"m": (991.0, 862.0, 984.0, 78.5, 1756.0), "f": (907.0, 792.0, 967.0, 62.0, 1629.0)}
"""Circumference of chest, waist and hips (mm) of a mean adult, with weight (kg) and stature (mm). *Source:* ANSUR 1988, means."""

_LEVELS = {"chest": -150.0, "waist": -330.0, "hip": -510.0}
"""Where girths are taken, mm below the notch of the reference man: nipples, navel, buttocks (ANSUR heights over stature)."""


@dataclass(frozen=True, slots=True)
class TorsoRecord:
    """Everything that one of our own bodies is built from; plain numbers, so that JSON keeps it.

    Parameters
    ----------
    height_cm : 130 to 215
    weight_kg : 30 to 200
    sex : "m" or "f"; "male" and "female", as older records have it, are read as these

    Raises
    ------
    InputError
        If a value is out of range, or the body mass index lies outside 14 to 50.
    """

    height_cm: float
    weight_kg: float
    sex: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sex", _OLD_SEXES.get(self.sex, self.sex))
        if self.sex not in SEXES:
            raise InputError(f"the sex of a body is one of {', '.join(SEXES)}, found {self.sex!r}; choose one of these")
        if not 130 <= self.height_cm <= 215:
            raise InputError(f"a body is 130 to 215 cm high, found {self.height_cm:g}; give the height in cm")
        if not 30 <= self.weight_kg <= 200:
            raise InputError(f"a body weighs 30 to 200 kg, found {self.weight_kg:g}; give the weight in kg")
        if not 14 <= self.bmi <= 50:
            raise InputError(f"a body mass index lies between 14 and 50, found {self.bmi:.1f}; check height and weight")

    @property
    def bmi(self) -> float:
        """Body mass index, kg/m².

        >>> TorsoRecord(200, 80, "m").bmi
        20.0
        """
        return self.weight_kg / (self.height_cm / 100) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """The measures of one trunk in its own frame, mm: z = 0 at the suprasternal notch, y = 0 midway through the chest.

    Parameters
    ----------
    record : whose
    size : stature over the reference man's; all heights scale with it
    cage : rows of height, half breadth, depth before and behind, of the outer surface of the ribs
    skin : the same of the trunk's skin, without shoulders, arms and breasts
    tissue : skin, fat and muscle over the sternum
    girth : how much stouter than the mean of the sex, linear
    """

    record: TorsoRecord
    size: float
    cage: NDArray[np.float64]
    skin: NDArray[np.float64]
    tissue: float
    girth: float


def build_of(record: TorsoRecord) -> Build:
    """Return the measures of a body.

    Heights scale with stature. Girths grow with the square root of weight over height, as a cylinder's do: the chest's a little less than
    that, the waist's more. The rib cage follows stature and only weakly girth. *Source:* girths ANSUR 1988; the powers are our choice and
    give 1.10 m of chest and 1.02 m of waist to a man of 176 cm and 100 kg.
    """
    weight, stature = GIRTHS[record.sex][3:]
    size = 10 * record.height_cm / REFERENCE_MM
    girth = float(np.sqrt(record.weight_kg / weight * stature / (10 * record.height_cm)))
    cage = _SKELETON * np.array([size, *3 * [_bony(record.sex) * size * girth**0.25]])
    tissue = over_sternum(record.bmi)
    return Build(record, size, cage, _skin_rows(record, size, girth, cage, tissue), tissue, girth)


def over_sternum(bmi: float) -> float:
    """Return the thickness of skin and fat over the sternum, mm; our choice.

    >>> over_sternum(24.0)
    12.0
    """
    return max(7.0, 12.0 + 0.8 * (bmi - 24.0))


def _bony(sex: str) -> float:
    """Return the breadth of a rib cage for its height against a man's."""
    return 1.0 if sex == "m" else 0.955


def _skin_rows(record: TorsoRecord, size: float, girth: float, cage: NDArray, tissue: float) -> NDArray[np.float64]:
    """Return the trunk's rows with the girths of the person, nowhere inside the ribs."""
    rows = _SKIN[record.sex] * np.array([size, 1, 1, 1])
    at = [_LEVELS[name] * size for name in ("hip", "waist", "chest")]
    wanted = chest_waist_hip(record)[::-1]
    have = [perimeter(at_level(rows, z), section_power(z / size)) for z in at]
    factor = np.interp(rows[:, 0], at, np.array(wanted) / np.array(have))[:, None]
    rows = np.hstack([rows[:, :1], rows[:, 1:] * factor])
    least = np.stack([at_level(cage, z) for z in rows[:, 0]]) + np.array([0.6, 1.0, 0.9]) * tissue
    over_ribs = (rows[:, :1] > cage[-1, 0]) & (rows[:, :1] <= 0)
    return np.hstack([rows[:, :1], np.where(over_ribs, np.maximum(rows[:, 1:], least), rows[:, 1:])])


def chest_waist_hip(record: TorsoRecord) -> tuple[float, float, float]:
    """Return the circumferences of the trunk at nipples, waist and hips, mm; the chest without breasts and shoulder blades.

    >>> [round(v) for v in chest_waist_hip(TorsoRecord(175.6, 78.5, "m"))]
    [912, 862, 984]
    """
    chest, waist, hip, weight, stature = GIRTHS[record.sex]
    size = 10 * record.height_cm / stature
    girth = float(np.sqrt(record.weight_kg / weight / size))
    bust = 0.92 if record.sex == "m" else 0.9
    return bust * chest * size**0.2 * girth**0.85, waist * size**0.2 * girth**1.2, hip * size**0.2 * girth**0.85


def section_power(level: float) -> float:
    """Return the power of the superellipse of a trunk's section, at a height (mm over the notch) of the reference man."""
    return float(np.interp(level, [-560, -330, -140, 0], [2.25, 2.2, 2.2, 2.2]))


def at_level(rows: NDArray, z: NDArray | float) -> NDArray[np.float64]:
    """Return (..., 3) half breadth, depth before and behind at heights z (...), mm; held beyond the ends."""
    up = rows[np.argsort(rows[:, 0])]
    return scipy.interpolate.PchipInterpolator(up[:, 0], up[:, 1:])(np.clip(z, up[0, 0], up[-1, 0]))


def perimeter(row: NDArray, power: float) -> float:
    """Return the length (mm) round a section of half breadth and two depths (3,).

    >>> round(perimeter(np.array([1.0, 1.0, 1.0]), 2.0), 3)
    6.283
    """
    turn = np.linspace(0, 2 * np.pi, 721)
    x, y = (np.sign(v) * np.abs(v) ** (2 / power) for v in (np.cos(turn), np.sin(turn)))
    outline = np.stack([row[0] * x, np.where(y < 0, row[1], row[2]) * y], axis=1)
    return float(np.linalg.norm(np.diff(outline, axis=0), axis=1).sum())


def record_to_json(record: TorsoRecord) -> dict:
    """Return the record as plain JSON values."""
    return asdict(record)


def record_from_json(values: dict) -> TorsoRecord:
    """Return the record that :func:`record_to_json` wrote.

    Raises
    ------
    InputError
        If a field is missing, unknown or of another type.

    >>> record_from_json(record_to_json(TorsoRecord(170, 70, "f"))) == TorsoRecord(170, 70, "f")
    True
    """
    try:
        return TorsoRecord(float(values["height_cm"]), float(values["weight_kg"]), str(values["sex"]))
    except (TypeError, KeyError, ValueError) as exc:
        raise InputError(f"a body record holds height_cm, weight_kg and sex; {exc}; write it with record_to_json") from exc
