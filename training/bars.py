"""What a reconstruction network is to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from training.heartmeasures import QUANTITIES
from training.published import MSE_CM2

LEAST_PATIENTS = 10
"""Patients that a group must have to be judged by the share of its intervals that hold."""

Entry = Mapping[str, Any]
"""What the report tells of one contestant: ``kind``, ``views``, ``groups``, ``trust`` and more."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure to reach, six views.

    Parameters
    ----------
    title : what is measured
    low, high : the figure must lie between them
    of : reads the figure from a contestant's entry and those of all; None where it was not measured
    """

    title: str
    low: float
    high: float
    of: Callable[[Entry, Mapping[str, Entry]], float | None]

    def met(self, value: float | None) -> bool | None:
        """Return whether a figure reaches the bar; None where there is none.

        >>> Bar("error", 0, 2, lambda entry, all: None).met(2.5)
        False
        """
        return None if value is None else self.low <= value <= self.high

    @property
    def shown(self) -> str:
        """The bar in words."""
        if self.low in (0, -1):
            return f"at most {self.high:g}"
        return f"at least {self.low:g}" if self.high in (1, 100) else f"{self.low:g} to {self.high:g}"


def _six(name: str) -> Callable[[Entry, Mapping[str, Entry]], float | None]:
    return lambda entry, _: entry["views"].get("6", {}).get(name)


def _trust(name: str) -> Callable[[Entry, Mapping[str, Entry]], float | None]:
    return lambda entry, _: entry.get("trust", {}).get(name)


def coverage(row: Mapping[str, float]) -> float | None:
    """Return the share in per cent of all 90 % intervals, of volumes and EF, that hold the truth.

    >>> coverage({"covered_edv_ml": 90.0, "covered_esv_ml": 92.0, "covered_sv_ml": 88.0, "covered_ef": 94.0})
    91.0
    """
    shares = [row[f"covered_{name}"] for name in QUANTITIES if f"covered_{name}" in row]
    return sum(shares) / len(shares) if shares else None


def _covered(entry: Entry, _: Mapping[str, Entry]) -> float | None:
    return coverage(entry["views"].get("6", {}))


def _least_covered(entry: Entry, _: Mapping[str, Entry]) -> float | None:
    rows = [row for row in entry.get("groups", {}).values() if row["patients"] >= LEAST_PATIENTS]
    shares = [share for row in rows if (share := coverage(row)) is not None]
    return min(shares, default=None)


def _lead(name: str) -> Callable[[Entry, Mapping[str, Entry]], float | None]:
    """Return what reads how many points of IoU a contestant's median lies above the best rival's."""

    def read(entry: Entry, entries: Mapping[str, Entry]) -> float | None:
        rivals = [
            other["views"]["6"][name] for other in entries.values() if other["kind"] == "rival" and name in other["views"].get("6", {})
        ]
        own = entry["views"].get("6", {}).get(name)
        return 100 * (own - max(rivals)) if rivals and own is not None else None

    return read


BARS: tuple[Bar, ...] = (
    Bar("Mean squared error, cm² (the paper's)", 0, MSE_CM2[0], _six("mse_cm2")),
    Bar("Points, mm", 0, 2.0, _six("points_mm")),
    Bar("Surface distance, mm", 0, 1.0, _six("surface_mm")),
    Bar("LV endocardium, mm", 0, 1.0, _six("lv_endo_mm")),
    Bar("LV volume, %", 0, 3.0, _six("lv_pc")),
    Bar("RV volume, %", 0, 6.0, _six("rv_pc")),
    Bar("EF, points", 0, 2.0, _six("ef_points")),
    Bar("EF bias, points", -0.5, 0.5, _six("ef_points_bias")),
    Bar("r of EF and GLS (the paper's pairs)", -1, -0.856, _six("r_ef_gls")),
    Bar("IoU on the metric grid, points above the best rival's median", 5, 100, _lead("iou_median")),
    Bar("IoU on the own box, points above the best rival's median", 5, 100, _lead("iou_own_median")),
    Bar("Overlay IoU, heart", 0.9, 1, _six("overlay_heart")),
    Bar("Overlay IoU, LV cavity", 0.9, 1, _six("overlay_lv")),
    Bar("Plane: fan's tip, mm", 0, 3.8, _six("probe_mm")),
    Bar("Plane: whole turn, degrees", 0, 8.0, _six("turn_deg")),
    Bar("Coverage of 90 % intervals, %", 88, 92, _covered),
    Bar("Coverage in the group (10 patients or more) where it is least, %", 87, 100, _least_covered),
    Bar("AUROC of another view among six", 0.95, 1, _trust("wrong_view_auroc")),
    Bar("AUROC of no heart among six", 0.95, 1, _trust("no_heart_auroc")),
)
"""*Source:* the project's goals; science.md F.7; those named the paper's from there."""


def judged(entries: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Return every bar with each network's figure and whether it is met."""
    lines = []
    for bar in BARS:
        values = {name: bar.of(entry, entries) for name, entry in entries.items() if entry["kind"] == "network"}
        told = {name: {"value": value, "met": bar.met(value)} for name, value in values.items()}
        lines.append({"figure": bar.title, "bar": bar.shown, "networks": told})
    return lines
