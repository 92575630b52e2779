"""Everything that was drawn for one heart, as one small record that JSON keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from echo3d.anatomy.beat import EVEN, GLS_PER_EF, BeatDraw, check_families
from echo3d.errors import InputError

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Body:
    """The person: ``sex`` "m" or "f", height in cm, weight in kg."""

    sex: str = "m"
    height_cm: float = 175.0
    weight_kg: float = 75.0

    @property
    def bsa_m2(self) -> float:
        """Body surface area.

        *Source:* Mosteller 1987.

        >>> Body("m", 180.0, 80.0).bsa_m2
        2.0
        """
        return float(np.sqrt(self.height_cm * self.weight_kg / 3600.0))


@dataclass(frozen=True, slots=True)
class Goals:
    """What the heart was meant to measure: ventricles at end-diastole, atria at their largest, ml; LV muscle in grams."""

    lv_ml: float
    mass_g: float
    rv_ml: float
    la_ml: float
    ra_ml: float


@dataclass(frozen=True, slots=True)
class Growth:
    """Size and remodelling of the chambers.

    Parameters
    ----------
    cavity, wall : scale of the LV's inner radius and of its wall's volume
    rv, la, ra : relative growth of the other chambers about their centres
    length : by how much the ventricles lengthen, as a share of the LV's length
    septal : by how much more the septum's wall grows, as a share
    segments : wall volume of the 17 AHA segments over that of a healthy wall; a scar is thin
    mitral, tricuspid, aortic, pulmonary : scale of the valves' openings
    """

    cavity: float = 1.0
    wall: float = 1.0
    rv: float = 0.0
    la: float = 0.0
    ra: float = 0.0
    length: float = 0.0
    septal: float = 0.0
    segments: tuple[float, ...] = EVEN
    mitral: float = 1.0
    tricuspid: float = 1.0
    aortic: float = 1.0
    pulmonary: float = 1.0


@dataclass(frozen=True, slots=True)
class HeartRecord:
    """Everything that was drawn for one heart; plain numbers.

    Parameters
    ----------
    group : the kind of heart, one of ``groups.GROUPS``
    body : the person
    modes : coefficients of the statistical modes, in standard deviations
    stretch, shear : log scale along and shear between the template's axes
    polynomial : coefficients (mm) of quadratic and cubic warps, 3 x 16 numbers row by row
    locals : per local warp centre index, reach mm, displacement x y z mm
    growth : size and remodelling of the chambers
    goals : the volumes that the growth was fitted to, or None where it was given
    beat : the motion
    """

    group: str = "normal"
    body: Body = field(default_factory=Body)
    modes: tuple[float, ...] = ()
    stretch: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shear: tuple[float, float, float] = (0.0, 0.0, 0.0)
    polynomial: tuple[float, ...] = ()
    locals: tuple[tuple[float, float, float, float, float], ...] = ()
    growth: Growth = field(default_factory=Growth)
    goals: Goals | None = None
    beat: BeatDraw = field(default_factory=BeatDraw)


def rounded(values: Any, digits: int = 5) -> tuple:
    """Return plain floats, short enough to read.

    >>> rounded(np.array([0.123456789, 1.0]))
    (0.12346, 1.0)
    """
    return tuple(round(float(v), digits) for v in values)


def record_to_json(record: HeartRecord) -> dict[str, Any]:
    """Return the record as plain JSON values."""
    return {"schema": SCHEMA} | asdict(record)


def record_from_json(values: dict[str, Any]) -> HeartRecord:
    """Return the record that :func:`record_to_json` wrote, or one of schema 1.

    A record of schema 1 knows neither body nor family of motion: its end-diastolic heart comes back bit for bit, its beat with the same
    ejection fractions by the present law.

    Raises
    ------
    InputError
        If a field is missing or unknown.
    """
    try:
        if "cavity" in values:
            values = _from_schema_1(values)
        plain: dict[str, Any] = {k: _tuples(v) for k, v in values.items() if k not in ("schema", "body", "growth", "goals", "beat")}
        goals = values.get("goals")
        record = HeartRecord(
            **plain,
            body=Body(**values["body"]),
            growth=Growth(**_tupled(values["growth"])),
            goals=None if goals is None else Goals(**goals),
            beat=BeatDraw(**_tupled(values["beat"])),
        )
    except (TypeError, KeyError, AttributeError) as exc:
        raise InputError(f"a heart record must hold the fields of HeartRecord; {exc}; write it with echo3d simulate") from exc
    check_families((record.beat.family,))
    return record


def _from_schema_1(values: dict[str, Any]) -> dict[str, Any]:
    """Return a record of schema 1 in the present form."""
    old, beat = dict(values), dict(values["beat"])
    rv, la, ra = old.pop("chambers")
    growth = Growth(cavity=old.pop("cavity"), wall=old.pop("wall"), rv=rv, la=la, ra=ra)
    usual = beat.pop("shortening") / (0.23 * beat["ef"])
    beat.pop("atrial")
    known = {one.name for one in fields(BeatDraw)}
    unknown = set(beat) - known
    if unknown:
        raise KeyError(*sorted(unknown))
    beat["gls"] = float(np.clip(GLS_PER_EF * beat["ef"] * (1 + 0.5 * (usual - 1)), -0.27, -0.015))
    return old | {"body": asdict(Body()), "growth": asdict(growth), "goals": None, "beat": beat}


def _tupled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuples(value) for key, value in values.items()}


def _tuples(value: object) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
